"""Operations routes: liveness, readiness, version and metrics."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from modiste import __version__
from modiste.server.app import create_app
from modiste.shop.shop import Shop
from tests.server.client import refused


def test_health_routes_return_status_model_and_version(client: TestClient, shop: Shop) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["model"]) == ("ready", shop.model.model_id)
    assert ready["catalogue"] == shop.store.hash()
    body = client.get("/version").json()
    assert (body["modiste_version"], body["model"]) == (__version__, shop.model.model_id)
    assert body["products"] == len(shop.catalogue)


def test_readyz_returns_503_until_the_application_has_started(shop: Shop) -> None:
    app = create_app(shop)
    client = TestClient(app)  # not entered: the application has not started
    refused(client.get("/readyz"), 503, "not_ready")
    assert client.get("/livez").status_code == 200
    with client:
        assert client.get("/readyz").status_code == 200
    refused(TestClient(app).get("/readyz"), 503, "not_ready")


def test_metrics_count_requests_by_route(client: TestClient, shop: Shop) -> None:
    client.get("/v1/products/no-such/photo.jpg")
    client.get("/v1/nothing")
    client.request("NONSENSE", "/v1/shop")
    client.post("/v1/decode", json={"code": [0.0] * 8})
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    text = answer.text
    assert f"modiste_products {float(len(shop.catalogue))}" in text
    assert f'modiste_info{{model="{shop.model.model_id}",version="{__version__}"}} 1.0' in text
    assert re.search(r"^modiste_decode_seconds_count [1-9]", text, re.MULTILINE)
    assert "process_resident_memory_bytes" in text
    routes = set(re.findall(r'modiste_request_seconds_count\{method="(\w+)",route="([^"]+)",status="(\d+)"\}', text))
    assert ("GET", "/v1/products/{id}/photo.jpg", "404") in routes
    assert ("GET", "none", "404") in routes
    assert {method for method, _, _ in routes} <= {"GET", "HEAD", "POST", "PUT", "DELETE", "other"}
    assert "no-such" not in text
    bounds = re.findall(r'modiste_decode_seconds_bucket\{le="([^"]+)"\}', text)
    assert (bounds[0], bounds[-2], bounds[-1]) == ("0.001", "5.0", "+Inf")


def test_applications_do_not_share_counters(client: TestClient, shop: Shop) -> None:
    client.get("/v1/shop")
    with TestClient(create_app(shop)) as other:
        assert 'route="/v1/shop"' not in other.get("/metrics").text
