"""Similar products and recommendations over HTTP give the same results as the shop."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from modiste.shop.shop import Shop
from tests.server.client import refused


@pytest.fixture(scope="module")
def id_(shop: Shop) -> str:
    return shop.catalogue.ids[0]


def test_similar_returns_the_results_of_the_shop(client: TestClient, shop: Shop, id_: str) -> None:
    code = shop.code_of(id_)
    answer = client.post("/v1/similar", json={"product": id_, "k": 5}).json()
    wanted = shop.similar(code, 5, exclude=(id_,))
    assert [each["id"] for each in answer["results"]] == [match.id for match in wanted]
    assert [each["score"] for each in answer["results"]] == [match.score for match in wanted]
    assert answer["method"] == "likelihood"
    assert answer["scope"] == "cluster"
    query = answer["query"]
    assert (query["product"], query["code"]) == (id_, code.tolist())
    number = shop.cluster_of(code)
    assert query["cluster"] == {
        "number": number,
        "label": shop.clusters.labels[number],
        "category": shop.category_of_cluster[number],
    }
    typicality = shop.typicality(code)
    assert answer["typicality"] == {"share": typicality.share, "word": typicality.word, "nearest": typicality.nearest}
    assert answer["position"] == pytest.approx(shop.position_of(code), abs=1e-4)


def test_match_has_the_product_fields_score_and_closeness(client: TestClient, shop: Shop, id_: str) -> None:
    first = client.post("/v1/similar", json={"product": id_, "k": 1}).json()["results"][0]
    whole = client.get(first["photo"].removesuffix("/photo.jpg")).json()
    for name in ("id", "title", "category", "cluster", "attributes", "photo", "thumbnail"):
        assert first[name] == whole[name]
    assert first["closeness"] == shop.closeness("likelihood", first["score"])
    assert set(first) == {
        "id", "title", "category", "cluster", "attributes", "photo", "thumbnail", "score", "closeness",
    }  # fmt: skip


@pytest.mark.parametrize("method", ["transport", "shift", "shift:mean", "fixed-epsilon"])
def test_recommend_uses_the_requested_method(client: TestClient, shop: Shop, id_: str, method: str) -> None:
    answer = client.post("/v1/recommend", json={"product": id_, "k": 3, "method": method}).json()
    wanted = shop.recommend(shop.code_of(id_), 3, method, by="category")
    for recommendation, each in zip(answer["recommendations"], wanted, strict=True):
        assert [match["id"] for match in recommendation["results"]] == [match.id for match in each.matches]
        assert [match["score"] for match in recommendation["results"]] == [match.score for match in each.matches]


def test_similar_passes_every_option_to_the_shop(client: TestClient, shop: Shop, id_: str) -> None:
    code = shop.code_of(id_)
    category = shop.catalogue.categories[-1]
    out = shop.similar(code, 1, "mean", "catalogue", metric="manhattan", where={"category": [category]})[0].id
    body = {
        "code": code.tolist(),
        "k": 4,
        "method": "mean",
        "metric": "manhattan",
        "scope": "catalogue",
        "exclude": [out],
        "where": {"category": [category]},
    }
    answer = client.post("/v1/similar", json=body).json()
    wanted = shop.similar(
        code, 4, "mean", "catalogue", metric="manhattan", exclude=(out,), where={"category": [category]}
    )
    assert [each["id"] for each in answer["results"]] == [match.id for match in wanted]
    assert {each["category"] for each in answer["results"]} == {category}
    assert out not in [each["id"] for each in answer["results"]]
    assert answer["query"]["product"] is None
    sharp, wide = (client.post("/v1/similar", json={"product": id_, "tau": tau}).json()["results"] for tau in (0, 5.0))
    assert [each["score"] for each in sharp] != [each["score"] for each in wide]


def test_similar_supports_every_kind_of_condition(client: TestClient, shop: Shop, id_: str) -> None:
    category = shop.catalogue.categories[0]
    where: dict[str, Any] = {
        "category": {"not": [category]},
        "lightness": {"min": 0.3, "max": 0.6},
        "pattern": ["plain", "striped"],
    }
    body = {"product": id_, "k": 100, "scope": "catalogue", "where": where}
    results = client.post("/v1/similar", json=body).json()["results"]
    assert results
    assert category not in {each["category"] for each in results}
    assert {each["attributes"]["pattern"] for each in results} <= {"plain", "striped"}
    assert all(0.3 <= each["attributes"]["lightness"] <= 0.6 for each in results)
    inner = {"any": [{"pattern": ["plain"]}, {"not": {"lightness": {"min": 0.3}}}], "category": [category]}
    results = client.post("/v1/similar", json=body | {"where": inner}).json()["results"]
    assert results
    assert all(each["attributes"]["pattern"] == "plain" or each["attributes"]["lightness"] < 0.3 for each in results)


def test_similar_returns_all_products_if_k_exceeds_the_catalogue(client: TestClient, shop: Shop, id_: str) -> None:
    body = {"product": id_, "k": 100, "scope": "catalogue"}
    assert len(client.post("/v1/similar", json=body).json()["results"]) == len(shop.catalogue) - 1


def test_recommend_groups_by_category_or_cluster(client: TestClient, shop: Shop, id_: str) -> None:
    code = shop.code_of(id_)
    for by in ("category", "cluster"):
        answer = client.post("/v1/recommend", json={"product": id_, "k": 2, "by": by}).json()
        wanted = shop.recommend(code, 2, by=by)
        recommendations = [
            (each["label"], each["category"], each["cluster"], [match["id"] for match in each["results"]])
            for each in answer["recommendations"]
        ]
        assert recommendations == [
            (each.label, each.category, each.cluster, [match.id for match in each.matches]) for each in wanted
        ]
        assert answer["query"]["product"] == id_
    assert "by" not in client.post("/v1/recommend", json={"product": id_}).json()


def test_recommend_omits_excluded_products(client: TestClient, id_: str) -> None:
    first = client.post("/v1/recommend", json={"product": id_, "k": 1}).json()["recommendations"]
    out = [match["id"] for each in first for match in each["results"]]
    again = client.post("/v1/recommend", json={"product": id_, "k": 1, "exclude": out}).json()["recommendations"]
    assert not {match["id"] for each in again for match in each["results"]} & set(out)


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"k": 0}, 422, "bad_count"),
    ({"k": -1}, 422, "bad_count"),
    ({"k": 101}, 422, "bad_count"),
    ({"k": 2.5}, 422, "validation"),
    ({"k": "3"}, 422, "validation"),
    ({"method": "cosine"}, 422, "validation"),
    ({"metric": "cosine"}, 422, "validation"),
    ({"tau": -1}, 422, "bad_option"),
    ({"product": "no-such"}, 404, "unknown_product"),
    ({"product": None}, 422, "bad_option"),
    ({"code": [0.0]}, 422, "bad_option"),
    ({"where": {"no such": ["x"]}}, 422, "bad_option"),
    ({"where": {"category": {"min": 1}}}, 422, "bad_option"),
    ({"where": {"category": {"mim": 1}}}, 422, "bad_option"),
    ({"where": {"category": "footwear"}}, 422, "validation"),
    ({"where": {"category": [None]}}, 422, "validation"),
    ({"where": {"category": [[1]]}}, 422, "validation"),
    ({"where": {"x" * 10_000: ["x"]}}, 422, "bad_option"),
    ({"exclude": [1]}, 422, "validation"),
    ({"kk": 3}, 422, "validation"),
]


@pytest.mark.parametrize("path", ["/v1/similar", "/v1/recommend"])
@pytest.mark.parametrize(("changes", "status", "code"), BAD)
def test_invalid_search_gets_an_error(
    client: TestClient, id_: str, path: str, changes: dict[str, Any], status: int, code: str
) -> None:
    refused(client.post(path, json={"product": id_} | changes), status, code)


def test_invalid_scope_or_grouping_gets_422(client: TestClient, id_: str) -> None:
    refused(client.post("/v1/similar", json={"product": id_, "scope": "world"}), 422, "validation")
    refused(client.post("/v1/recommend", json={"product": id_, "by": "colour"}), 422, "validation")


def test_lone_surrogate_in_a_product_id_gets_404(client: TestClient) -> None:
    body = b'{"product": "\\ud800"}'
    answer = client.post("/v1/similar", content=body, headers={"content-type": "application/json"})
    refused(answer, 404, "unknown_product")


def test_condition_keeps_the_fixed_latents(client: TestClient, shop: Shop) -> None:
    code = (shop.code_of(shop.catalogue.ids[0]) * 1.3).tolist()
    answer = client.post("/v1/condition", json={"code": code, "fixed": [1, 2]})
    assert answer.status_code == 200
    moved = answer.json()["code"]
    assert moved == shop.condition(code, [1, 2]).tolist()
    assert [moved[1], moved[2]] == pytest.approx([code[1], code[2]])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": [0.0] * 8, "fixed": [8]}, "bad_option"),
        ({"code": [0.0] * 7, "fixed": [1]}, "bad_code"),
        ({"code": [0.0] * 8, "fixed": [1], "directions": [[1.0]]}, "bad_code"),
        ({"code": [0.0] * 8}, "validation"),
    ],
)
def test_condition_rejects_invalid_requests(client: TestClient, body: dict[str, object], code: str) -> None:
    refused(client.post("/v1/condition", json=body), 422, code)
