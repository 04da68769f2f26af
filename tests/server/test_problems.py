"""Error responses: unknown paths and methods, failures of the server, and stable codes."""

from __future__ import annotations

import ast
import logging
from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from modiste import errors
from modiste.server import problems
from modiste.server.app import create_app, openapi_schema
from modiste.shop.shop import Shop
from tests.server.client import refused

NAMES = {
    *("render", "decode", "encode", "interpolate", "similar", "recommend", "condition"),
    *("products", "product", "product_photo", "product_thumbnail"),
    *("shop", "sliders", "mixture", "map", "model_card", "livez", "readyz", "version", "metrics"),
    *("admin_status", "put_product", "remove_product", "use_model", "reindex", "reload"),
}
# Properties and parameters of the API that hold any text.
OPEN_STRINGS = {
    *("id", "ids", "product", "nearest", "exclude", "design", "render_id", "photo", "thumbnail"),
    *("model", "models", "modiste_version", "shop_version", "previous_version", "catalogue"),
    *("name", "title", "label", "low", "high", "category", "categories", "colour", "colours", "note", "q"),
    *("attribute", "attributes", "value", "values", "where", "not"),
    *("type", "detail", "remedy", "error"),
    *("exemplar", "exemplar_a", "exemplar_b", "photo_hash", "photo_hash_b"),
}
SOURCE = Path(problems.__file__).parent
POSTED = ("/v1/decode", "/v1/encode", "/v1/similar", "/v1/recommend", "/v1/interpolate", "/v1/condition")
GOTTEN = ("/", "/v1/shop", "/v1/render.jpg", "/v1/products", "/v1/products/x", "/livez", "/metrics", "/openapi.json")


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v2/shop", "/v1/shop/", "/favicon.ico", "/v1/SHOP"])
def test_unknown_path_gets_404(client: TestClient, path: str) -> None:
    assert path in refused(client.get(path), 404, "not_found")["detail"]


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_post_routes_reject_other_methods(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        refused(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", GOTTEN)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "NONSENSE"])
def test_get_routes_reject_other_methods(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/v1/shop", "/v1/map", "/v1/products", "/livez", "/version", "/openapi.json"])
def test_head_returns_the_headers_of_get_without_the_body(client: TestClient, path: str) -> None:
    whole = client.get(path, headers={"accept-encoding": "identity"})
    head = client.head(path, headers={"accept-encoding": "identity"})
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_unexpected_exception_gets_500_without_details(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Shop):
        def decode(self, code: Any) -> Any:
            raise RuntimeError("the secret of the kitchen")

    messages: list[str] = []
    monkeypatch.setattr(problems.logger, "exception", lambda text, *more: messages.append(text % more))
    app = create_app(shop)
    with TestClient(app) as client:
        broken = Broken(shop.files, shop.manifest, shop.store, 1)
        monkeypatch.setattr(app.state.versions.current, "design_pictures", broken.design_pictures)
        answer = client.post("/v1/decode", json={"code": [0.0] * 8})
        problem = refused(answer, 500, "internal")
        assert "secret" not in str(problem)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert messages == ["POST /v1/decode failed"]
        assert client.get("/livez").status_code == 200
    assert logging.getLogger("modiste.server") is problems.logger


def error_classes() -> list[type[errors.ModisteError]]:
    return [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.ModisteError)
    ]


def test_every_error_class_has_its_own_code_and_an_http_status() -> None:
    codes = [problems.error_code(error) for error in error_classes()]
    assert len(set(codes)) == len(codes)
    assert {"bad_code", "bad_count", "bad_option", "unknown_product", "photo_error", "stale_error"} <= set(codes)
    for error in error_classes():
        assert problems.http_status(error("x")) in (404, 413, 422, 500, 503)


def test_every_error_code_is_in_the_openapi_enumeration() -> None:
    of_classes = [errors.error_code(held) for held in error_classes()]
    of_http = [code for code, _, _ in problems.HTTP_PROBLEMS.values()]
    assert list(get_args(errors.ErrorCode)) == of_classes
    assert list(get_args(problems.ProblemCode)) == [*of_http, *problems.SERVER_PROBLEMS, *of_classes]
    fields = openapi_schema()["components"]["schemas"]["Problem"]["properties"]
    assert fields["code"]["enum"] == list(get_args(problems.ProblemCode))
    assert fields["reason"]["anyOf"][0]["enum"] == list(errors.PHOTO_REASONS)


def open_strings(schema: Any, name: str) -> set[str]:
    """Return the names of the properties and parameters that hold any string, not one of a closed set."""
    if isinstance(schema, list):
        return set().union(*(open_strings(each, name) for each in schema))
    if not isinstance(schema, dict):
        return set()
    closed = {"enum", "const", "format"} & set(schema)
    names = {name} if schema.get("type") == "string" and not closed else set()
    for key, value in schema.items():
        if key in ("properties", "schemas"):
            names = names.union(*(open_strings(each, property_) for property_, each in value.items()))
        else:
            names |= open_strings(value, schema["name"] if key == "schema" and "name" in schema else name)
    return names


def test_closed_sets_of_strings_are_enumerations_in_openapi() -> None:
    """A property that is not in OPEN_STRINGS must be an enumeration; one is added here only if it may hold any text."""
    api = openapi_schema()
    operations = [each for methods in api["paths"].values() for each in methods.values()]
    inputs = [[each.get("parameters"), each.get("requestBody")] for each in operations]
    assert open_strings([api["components"], inputs], "") == OPEN_STRINGS


def test_every_code_in_the_server_source_is_a_known_problem() -> None:
    codes: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("ProblemException", "problem_response"):
                code = node.args[1]
                codes |= {code.value} if isinstance(code, ast.Constant) else set()
    known = {code for code, _, _ in problems.HTTP_PROBLEMS.values()} | set(problems.SERVER_PROBLEMS)
    assert len(codes) >= 6
    assert codes <= known


def test_openapi_documents_responses_and_errors_of_every_route() -> None:
    api = openapi_schema()
    names: list[str] = []
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            assert operation["summary"]
            assert operation["description"]
            good = [status for status in operation["responses"] if status.startswith("2")]
            assert [operation["responses"][status]["content"] for status in good], f"{method} {path}"
            for status, answer in operation["responses"].items():
                if status not in good:
                    schema = answer["content"]["application/problem+json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}
            if "requestBody" in operation:
                assert {"413", "422"} <= set(operation["responses"])
    assert set(names) == NAMES
    assert len(names) == len(NAMES)


def test_served_openapi_equals_the_documented_schema(client: TestClient) -> None:
    assert client.get("/openapi.json").json() == openapi_schema()
