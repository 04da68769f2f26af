"""Shop information, sliders, map and model card: built once, revalidated by ETag."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.testclient import TestClient

from modiste.shop.shop import Shop
from tests.server.client import refused


def test_shop_route_describes_the_shop(client: TestClient, shop: Shop) -> None:
    body = client.get("/v1/shop").json()
    assert body["name"] == shop.path.name
    assert body["products"] == len(shop.catalogue)
    assert (body["model"], body["render_id"]) == (shop.model.model_id, shop.sliders.render_id)
    assert body["size"] == [shop.frame[1], shop.frame[0]]
    assert body["latent"] == shop.model.latent
    assert {each["name"]: each["count"] for each in body["categories"]} == shop.catalogue.counts()
    for each in body["categories"]:
        assert each["average"] == shop.category_average(each["name"]).tolist()
    assert sum(each["size"] for each in body["clusters"]) == len(shop.catalogue)
    assert [each["label"] for each in body["clusters"]] == list(shop.clusters.labels)
    assert body["facets"] == [each.to_dict() for each in shop.facets]
    assert body["facets"][0]["name"] == "category"
    assert body["methods"] == ["likelihood", "fixed-epsilon", "mean"]
    assert body["scopes"] == ["cluster", "catalogue"]
    assert body["metrics"] == ["euclidean", "manhattan"]
    assert body["limits"] == {"photo_bytes": 5_000_000, "megapixels": 20, "k": 100, "page_size": 100}
    assert body["note"] == "A drawn design, not a product you can buy."


def test_sliders_are_returned_in_display_order(client: TestClient, shop: Shop) -> None:
    body = client.get("/v1/sliders").json()
    sliders = shop.sliders
    assert [each["latent"] for each in body["latents"]] == [each.latent for each in sliders.latents]
    assert sorted(each["latent"] for each in body["latents"]) == list(range(shop.model.latent))
    for each, wanted in zip(body["latents"], sliders.latents, strict=True):
        assert (each["minimum"], each["maximum"]) == (wanted.minimum, wanted.maximum)
        assert (each["name"], each["idle"]) == (wanted.name, wanted.is_idle)
    assert [each["name"] for each in body["attributes"]] == [each.name for each in sliders.attributes]
    assert all(len(each["direction"]) == shop.model.latent for each in body["attributes"])
    assert body["first"]["photo_hash"] == client.get(f"/v1/products/{body['first']['id']}").json()["photo_hash"]

    assert body["average"] == pytest.approx(shop.encodings.code.mean(axis=0).tolist(), abs=1e-5)
    counts = shop.catalogue.counts()
    first = shop.catalogue.row(body["first"]["id"])
    assert counts[shop.catalogue.categories[first]] == max(counts.values())
    assert body["first"]["title"] == shop.title(first)
    assert body["first"]["code"] == pytest.approx(shop.code_of(body["first"]["id"]).tolist())


def test_map_route_returns_every_row(client: TestClient, shop: Shop) -> None:
    body = client.get("/v1/map").json()
    assert body["ids"] == shop.catalogue.ids
    assert [body["categories"][i] for i in body["category"]] == shop.catalogue.categories
    assert np.column_stack([body["x"], body["y"]]) == pytest.approx(shop.map.positions, abs=1e-4)
    assert min(body["x"] + body["y"]) >= 0.0
    assert max(body["x"] + body["y"]) <= 1.0
    colours = body["attributes"]["base_colour"]
    for row in range(len(shop.catalogue)):
        place = colours["of"][row]
        assert (colours["values"][place] if place >= 0 else None) == shop.catalogue.attributes(row).get("base_colour")
    assert dict(zip(colours["values"], colours["colours"], strict=True)) == shop.map.swatches["base_colour"]


def test_model_card_is_returned_as_markdown(client: TestClient, shop: Shop) -> None:
    answer = client.get("/v1/model-card")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert shop.model.model_id in answer.text


@pytest.mark.parametrize("path", ["/v1/shop", "/v1/sliders", "/v1/map", "/v1/model-card", "/"])
def test_response_is_compressed_and_revalidated_by_etag(client: TestClient, path: str) -> None:
    zipped = client.get(path, headers={"accept-encoding": "gzip"})
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content
    assert zipped.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert zipped.headers["cache-control"] == plain.headers["cache-control"] == "no-cache"
    assert zipped.headers["etag"] == plain.headers["etag"]
    again = client.get(path, headers={"if-none-match": f'"other", {plain.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")


def test_missing_model_card_gets_503(shop_copy: object) -> None:
    from pathlib import Path

    from modiste.server.app import create_app

    opened = Shop.open(Path(str(shop_copy)), need="map")
    (opened.files.model(opened.model.model_id) / "README.md").unlink()
    with TestClient(create_app(opened)) as client:
        refused(client.get("/v1/model-card"), 503, "shop_incomplete")


def test_attribute_sliders_name_the_categories_that_they_fit(client: TestClient, shop: Shop) -> None:
    for each in client.get("/v1/sliders").json()["attributes"]:
        if each["value"] is None:
            assert each["categories"] == list(shop.catalogue.counts())
            continue
        has_value = shop.filter_mask({each["attribute"]: [each["value"]]})
        categories = {shop.catalogue.categories[row] for row in np.flatnonzero(has_value)}
        assert set(each["categories"]) <= categories
        assert each["categories"]


def test_mixture_is_the_one_that_conditions(client: TestClient, shop: Shop) -> None:
    body = client.get("/v1/mixture").json()
    mixture = shop.query_engine.catalogue_mixture
    np.testing.assert_allclose(body["weights"], mixture.weights)
    np.testing.assert_allclose(body["means"], mixture.means, atol=1e-4)
    np.testing.assert_allclose(body["covariances"], mixture.covariances, atol=1e-6)
