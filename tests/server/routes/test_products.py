"""Products over HTTP: pages, filters, search, photos, thumbnails, and ids with any characters."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from modiste.pipeline.build import build
from modiste.server.app import create_app
from modiste.shop.shop import Shop
from modiste.sources.record import Record
from modiste.sources.sanitize import record_problem
from tests.server.client import refused
from tests.small import FRAME, Listed

HOSTILE = (
    "a/b/photo.jpg",
    "a/b",
    "100% wool?#x&y=1",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\u202eabc",
    "靴 鞋 حذاء",
    "a%2Fb",
    "x" * 300,
    "quote\"'`",
    "line\nbreak",
)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["results"]]


def test_pages_list_every_product_once(client: TestClient, shop: Shop) -> None:
    listed_ids: list[str] = []
    for page in range(1, 6):
        answer = client.get("/v1/products", params={"page": page, "size": 20}).json()
        assert (answer["page"], answer["size"], answer["total"]) == (page, 20, len(shop.catalogue))
        listed_ids += [each["id"] for each in answer["results"]]
    assert listed_ids == shop.catalogue.ids
    assert ids(client.get("/v1/products?page=1000")) == []


def test_random_order_is_reproducible_for_a_seed(client: TestClient, shop: Shop) -> None:
    first, again, other = (ids(client.get(f"/v1/products?sort=random&seed={seed}&size=100")) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == shop.catalogue.ids


def test_filters_use_or_within_an_attribute_and_and_between_attributes(client: TestClient, shop: Shop) -> None:
    table = shop.products
    colours = table["base_colour"].value_counts().index[:2].tolist()
    category = table["category"].iloc[0]
    query = {"base_colour": colours, "category": category, "size": 100}
    wanted = table[table["base_colour"].isin(colours) & (table["category"] == category)]
    assert ids(client.get("/v1/products", params=query)) == wanted["id"].tolist()
    assert (
        ids(client.get("/v1/products", params={"cluster": [0, 1], "size": 100}))
        == table[table["cluster"].isin([0, 1])]["id"].tolist()
    )
    assert ids(client.get("/v1/products?lightness=0.2387"))


def test_text_search_ignores_word_order_and_case(client: TestClient, shop: Shop) -> None:
    row = 0
    words = shop.title(row).upper().split()
    assert shop.catalogue.ids[row] in ids(client.get("/v1/products", params={"q": " ".join(reversed(words))}))
    assert ids(client.get("/v1/products", params={"q": "no product is called this"})) == []
    assert len(ids(client.get("/v1/products", params={"q": "  ", "size": 100}))) == len(shop.catalogue)
    assert client.get("/v1/products", params={"q": words[0]}).json()["total"] < len(shop.catalogue)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=0", "validation"),
        ("page=x", "validation"),
        ("size=0", "validation"),
        ("size=101", "validation"),
        ("sort=price", "validation"),
        ("seed=-1", "validation"),
        ("cluster=x", "validation"),
        ("cluster=99", "bad_option"),
        ("cluster=-1", "bad_option"),
        ("no_such=1", "bad_option"),
        ("lightness=bright", "bad_option"),
        ("attribute_size=1", "bad_option"),
        ("q=" + "x" * 201, "validation"),
        ("%00=%00", "bad_option"),
    ],
)
def test_invalid_list_query_gets_422(client: TestClient, query: str, code: str) -> None:
    refused(client.get("/v1/products?" + query), 422, code)


def test_product_route_returns_all_fields(client: TestClient, shop: Shop) -> None:
    row = 7
    body = client.get(f"/v1/products/{shop.catalogue.ids[row]}").json()
    assert body["id"] == shop.catalogue.ids[row]
    assert body["title"] == shop.title(row)
    assert body["attributes"] == shop.catalogue.attributes(row)
    for name in ("code", "mean", "std"):
        assert body[name] == getattr(shop.encodings, name)[row].tolist()
    assert body["position"] == pytest.approx(shop.map.positions[row].tolist(), abs=1e-4)


def test_photo_equals_the_stored_one_and_is_revalidated_by_etag(client: TestClient, shop: Shop) -> None:
    body = client.get(f"/v1/products/{shop.catalogue.ids[0]}").json()
    answer = client.get(body["photo"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content == shop.jpeg(body["id"])
    again = client.get(body["photo"], headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    assert client.get(body["photo"], headers={"if-none-match": '"other", "more"'}).status_code == 200


def test_thumbnail_has_the_requested_height_up_to_the_photo(client: TestClient, shop: Shop) -> None:
    url = client.get(f"/v1/products/{shop.catalogue.ids[0]}").json()["thumbnail"]
    tags: set[str] = set()
    for height, wanted in ((32, 32), (64, 64), (480, 64)):
        answer = client.get(url, params={"height": height})
        assert answer.headers["content-type"] == "image/webp"
        assert Image.open(BytesIO(answer.content)).size == (wanted * 48 // 64, wanted)
        tags.add(answer.headers["etag"])
        assert client.get(url, params={"height": height}).content == answer.content
    assert len(tags) == 2
    assert client.get(url, params={"height": 32}, headers={"if-none-match": "*"}).status_code == 304
    for height in ("15", "481", "x"):
        refused(client.get(url, params={"height": height}), 422, "validation")


@pytest.mark.parametrize("id_", [*HOSTILE, "0", ".hidden", "..%2f..%2fetc", "\x00", " "])
@pytest.mark.parametrize("what", ["", "/photo.jpg", "/thumbnail.webp"])
def test_unknown_product_gets_404(client: TestClient, id_: str, what: str) -> None:
    refused(client.get(f"/v1/products/{quote(id_, safe='')}{what}"), 404, "unknown_product")


def test_invalid_product_path_gets_404(client: TestClient) -> None:
    for path in ("/v1/products/", "/v1/products/a/b", "/v1/products/a/b/photo.jpg", "/v1/products/a/photo.png"):
        refused(client.get(path), 404, "not_found")
    refused(client.get("/v1/products/%ff%fe/photo.jpg"), 404, "unknown_product")


@pytest.fixture(scope="module")
def hostile_shop(tmp_path_factory: pytest.TempPathFactory, sample_records: list[Record]) -> Shop:
    """A shop with hostile ids, names and values."""
    records = [
        Record(
            HOSTILE[i] if i < len(HOSTILE) else record.id,
            record.category,
            record.photo,
            {"name": "<img src=x onerror=alert(1)>" * (1 + 300 * (i == 1)), "size": i, "page": "one", "note": "\u202e"},
        )
        for i, record in enumerate(sample_records[:40])
    ]
    root = tmp_path_factory.mktemp("shops") / "hostile"
    build(Listed(list(records), "hostile"), root, frame=FRAME, epochs=2, latent=4, cluster_method="kmeans")
    return Shop.open(root, need="map")


def test_ids_with_special_characters_identify_their_products(hostile_shop: Shop) -> None:
    with TestClient(create_app(hostile_shop)) as client:
        listed = client.get("/v1/products?size=100").json()["results"]
        there = {each["id"] for each in listed}
        # Ids that would act on a terminal are turned away when products come in.
        taken = {id_ for id_ in HOSTILE if record_problem(Record(id_, "x", b"", {})) is None}
        assert 3 <= len(taken) < len(HOSTILE)
        assert there & set(HOSTILE) == taken
        for each in listed:
            assert client.get(each["photo"]).content == hostile_shop.jpeg(each["id"])
            assert client.get(each["thumbnail"]).status_code == 200
            assert client.get(each["photo"].removesuffix("/photo.jpg")).json()["id"] == each["id"]
        answer = client.post("/v1/similar", json={"product": HOSTILE[0], "k": 3})
        assert len(answer.json()["results"]) == 3


def test_attributes_named_like_parameters_can_be_filtered(hostile_shop: Shop) -> None:
    with TestClient(create_app(hostile_shop)) as client:
        body = client.get("/v1/products?attribute_size=30&attribute_size=35&attribute_page=one").json()
        assert sorted(each["attributes"]["size"] for each in body["results"]) == [30, 35]


def test_hostile_text_is_returned_unchanged_as_json(hostile_shop: Shop) -> None:
    with TestClient(create_app(hostile_shop)) as client:
        for path in ("/v1/products?size=100", "/v1/shop", "/v1/map", "/v1/sliders"):
            answer = client.get(path)
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            answer.json()
        body = client.get("/v1/products", params={"q": "onerror=alert(1)", "size": 100}).json()
        assert body["total"] == len(hostile_shop.catalogue)
        assert max(len(each["title"]) for each in body["results"]) > 8000


def test_map_positions_are_finite(hostile_shop: Shop) -> None:
    assert np.isfinite(hostile_shop.map.positions).all()


def test_missing_store_gets_503(shop_copy: Path) -> None:
    import shutil

    with TestClient(create_app(Shop.open(shop_copy, need="map")), raise_server_exceptions=False) as client:
        url = client.get("/v1/products?size=1").json()["results"][0]["photo"]
        shutil.rmtree(shop_copy / "store")
        answer = client.get(url)
        assert answer.status_code == 503
        assert answer.json()["remedy"]
        assert client.get("/v1/products?size=1").status_code == 200  # what is in memory still answers
