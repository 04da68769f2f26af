"""Drawing routes: frames whose URL determines their bytes, codes in full precision, interpolations."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from modiste.server.design_codec import dequantise, to_base64url
from modiste.shop.shop import Shop
from tests.server.client import refused
from tests.server.design_bytes import quantise


def frame_url(client: TestClient, data: bytes) -> str:
    return f"/v1/render.jpg?render_id={client.get('/v1/sliders').json()['render_id']}&design={to_base64url(data)}"


def parse_query(url: str) -> dict[str, str]:
    return dict(parse_qsl(url.partition("?")[2]))


def open_image(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def metric_value(client: TestClient, line: str) -> float:
    """Return a counter of /metrics by its name and labels."""
    for each in client.get("/metrics").text.splitlines():
        if each.startswith(line + " "):
            return float(each.rpartition(" ")[2])
    return 0.0


def test_frame_is_cacheable_for_ever(client: TestClient, shop: Shop) -> None:
    answer = client.get(frame_url(client, bytes(range(10, 18))))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "vary" not in answer.headers
    assert open_image(answer.content).size == (shop.frame[1], shop.frame[0])


def test_frame_is_drawn_once_and_cached(client: TestClient) -> None:
    url = frame_url(client, bytes([201, 7, 3, 99, 0, 255, 1, 64]))
    hit, miss = 'modiste_frames_total{cache="hit"}', 'modiste_frames_total{cache="miss"}'
    before = metric_value(client, hit), metric_value(client, miss)
    first = client.get(url).content
    assert (metric_value(client, hit), metric_value(client, miss)) == (before[0], before[1] + 1)
    assert client.get(url).content == first
    assert (metric_value(client, hit), metric_value(client, miss)) == (before[0] + 1, before[1] + 1)
    assert metric_value(client, 'modiste_cache_bytes{kind="frames"}') > len(first)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=8, max_size=8))
def test_frame_equals_the_decoded_code(client: TestClient, shop: Shop, data: bytes) -> None:
    code = dequantise(data, shop.sliders.ranges)
    drawn = client.post("/v1/decode", json={"code": code.tolist(), "exemplar": None}, headers={"accept": "image/jpeg"})
    assert drawn.content == client.get(frame_url(client, data)).content


def test_shared_design_has_the_same_bytes_on_another_server(client: TestClient, app: FastAPI, shop: Shop) -> None:
    from modiste.server.app import create_app

    url = frame_url(client, quantise(shop.code_of(shop.catalogue.ids[3]), shop.sliders.ranges))
    with TestClient(create_app(Shop.open(shop.path, need="map"))) as other:
        assert other.get(url).content == client.get(url).content


@pytest.mark.parametrize("name", ["", "0123456789ab", "../../etc/passwd", "x" * 5000, "<script>", "\u202eabc"])
def test_unknown_render_id_gets_404(client: TestClient, name: str) -> None:
    problem = refused(
        client.get("/v1/render.jpg", params={"render_id": name, "design": "AAAAAAAAAAA"}), 404, "unknown_render_id"
    )
    assert "/v1/sliders" in problem["remedy"]
    assert len(problem["detail"]) < 600


@pytest.mark.parametrize(
    "design", ["", "AAAA", "AAAAAAAAAAB", "AAAAAAAAAAA=", "AAAAAAAAAA!", "A" * 10_000, "ÀAAAAAAAAAA"]
)
def test_invalid_design_gets_422(client: TestClient, shop: Shop, design: str) -> None:
    refused(
        client.get("/v1/render.jpg", params={"render_id": shop.sliders.render_id, "design": design}), 422, "bad_code"
    )


@pytest.mark.parametrize("query", ["", "?design=AAAAAAAAAAA", "?render_id=x"])
def test_frame_without_its_parameters_gets_422(client: TestClient, query: str) -> None:
    refused(client.get("/v1/render.jpg" + query), 422, "validation")


@pytest.mark.parametrize(("accept", "kind"), [("image/jpeg", "JPEG"), ("image/png", "PNG"), ("image/webp", "WEBP")])
def test_decode_returns_the_accepted_type(client: TestClient, shop: Shop, accept: str, kind: str) -> None:
    id_ = shop.catalogue.ids[0]
    answer = client.post("/v1/decode", json={"product": id_}, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == accept
    assert answer.headers["vary"] == "Accept"
    picture = open_image(answer.content)
    assert picture.format == kind
    if kind == "PNG":
        assert np.array_equal(np.asarray(picture), shop.photo(id_))


def test_exemplar_of_a_picture_is_named_by_its_photo(client: TestClient, shop: Shop) -> None:
    first, second = shop.catalogue.ids[:2]
    url = frame_url(client, quantise(shop.code_of(first), shop.sliders.ranges))
    photo_hash = client.get(f"/v1/products/{second}").json()["photo_hash"]
    details = {"exemplar": second, "photo_hash": photo_hash}
    answer = client.get(url, params={**parse_query(url), **details})
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content != client.get(url).content
    for wrong in ({"exemplar": second}, {"exemplar": first, "photo_hash": photo_hash}, {**details, "exemplar": "no"}):
        problem = refused(client.get(url, params={**parse_query(url), **wrong}), 404, "unknown_exemplar")
        assert "photo_hash" in problem["remedy"]


@pytest.mark.parametrize("exemplar", ["auto", None, "PRODUCT"])
def test_decode_draws_with_an_exemplar(client: TestClient, shop: Shop, exemplar: str | None) -> None:
    code = (shop.code_of(shop.catalogue.ids[0]) * 0.8).astype(np.float32)
    exemplar = shop.catalogue.ids[1] if exemplar == "PRODUCT" else exemplar
    body = {"code": code.tolist(), "exemplar": exemplar}
    picture = open_image(client.post("/v1/decode", json=body, headers={"accept": "image/png"}).content)
    assert np.array_equal(np.asarray(picture), shop.draw(code, exemplar))


def test_unknown_exemplar_is_an_unknown_product(client: TestClient) -> None:
    refused(client.post("/v1/decode", json={"code": [0.0] * 8, "exemplar": "no-such"}), 404, "unknown_product")


def test_interpolation_uses_both_exemplars(client: TestClient, shop: Shop) -> None:
    first, second = shop.catalogue.ids[0], shop.catalogue.ids[-1]
    body = {"a": shop.code_of(first).tolist(), "b": shop.code_of(second).tolist(), "steps": 7}
    body |= {"exemplar_a": first, "exemplar_b": second}
    strip = np.asarray(open_image(client.post("/v1/interpolate", json=body, headers={"accept": "image/png"}).content))
    width = shop.frame[1]
    assert np.array_equal(strip[:, :width], shop.photo(first))
    assert np.array_equal(strip[:, -width:], shop.photo(second))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad_option"),
        ({"code": [0.0] * 8, "product": "x"}, 422, "bad_option"),
        ({"product": "no-such"}, 404, "unknown_product"),
        ({"product": "<img src=x onerror=alert(1)>"}, 404, "unknown_product"),
        ({"code": [0.0] * 7}, 422, "bad_code"),
        ({"code": []}, 422, "bad_code"),
        ({"code": [1e300] * 8}, 422, "bad_code"),
        ({"code": ["0"] * 8}, 422, "validation"),
        ({"code": [True] * 8}, 422, "validation"),
        ({"code": [0.0] * 5000}, 422, "validation"),
        ({"code": "zero"}, 422, "validation"),
        ({"kode": [0.0] * 8}, 422, "validation"),
        ([], 422, "validation"),
    ],
)
def test_decode_rejects_invalid_codes(client: TestClient, body: Any, status: int, code: str) -> None:
    refused(client.post("/v1/decode", json=body), status, code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"code": [NaN, 0, 0, 0, 0, 0, 0, 0]}', 422, "bad_code"),
        (b'{"code": [Infinity, 0, 0, 0, 0, 0, 0, 0]}', 422, "bad_code"),
        (b'{"code": [', 422, "validation"),
        (b"", 422, "validation"),
        (b'{"product": "\xff"}', 400, "bad_request"),
        (b"[" * 100_000, 400, "bad_request"),
        (b'{"code": [' + b"0," * 200_000 + b"0]}", 413, "too_large"),
    ],
)
def test_decode_rejects_invalid_json(client: TestClient, body: bytes, status: int, code: str) -> None:
    refused(client.post("/v1/decode", content=body, headers={"content-type": "application/json"}), status, code)


def test_decode_rejects_unsupported_types(client: TestClient) -> None:
    problem = refused(
        client.post("/v1/decode", json={"code": [0.0] * 8}, headers={"accept": "image/gif"}), 406, "not_acceptable"
    )
    assert "image/webp" in problem["remedy"]


def test_interpolate_returns_a_strip(client: TestClient, shop: Shop) -> None:
    a, b = (shop.code_of(shop.catalogue.ids[i]) for i in (0, 50))
    body = {"a": a.tolist(), "b": b.tolist(), "steps": 7, "exemplar_a": None, "exemplar_b": None}
    answer = client.post("/v1/interpolate", json=body, headers={"accept": "image/png"})
    strip = np.asarray(open_image(answer.content))
    height, width = shop.frame
    assert strip.shape == (height, 7 * width, 3)
    assert np.array_equal(strip[:, :width], shop.decode(a))
    assert np.array_equal(strip[:, -width:], shop.decode(b))


@pytest.mark.parametrize(("back", "count"), [(False, 9), (True, 16)])
def test_interpolate_returns_an_animation(client: TestClient, shop: Shop, back: bool, count: int) -> None:
    a, b = shop.sliders.ranges.T.tolist()  # far apart: pictures that are the same become one that stays longer
    answer = client.post("/v1/interpolate", json={"a": a, "b": b, "steps": 9, "there_and_back": back})
    assert answer.headers["content-type"] == "image/webp"
    moving: Any = open_image(answer.content)
    assert (moving.format, moving.n_frames, moving.info["loop"]) == ("WEBP", count, 0)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"steps": 6}, 422, "validation"),
        ({"steps": 61}, 422, "validation"),
        ({"a": [0.0]}, 422, "bad_code"),
        ({"b": None}, 422, "validation"),
    ],
)
def test_interpolate_rejects_invalid_options(
    client: TestClient, changes: dict[str, Any], status: int, code: str
) -> None:
    body = {"a": [0.0] * 8, "b": [1.0] * 8} | changes
    refused(client.post("/v1/interpolate", json=body), status, code)


def test_interpolate_rejects_unsupported_types(client: TestClient) -> None:
    body = {"a": [0.0] * 8, "b": [1.0] * 8}
    refused(client.post("/v1/interpolate", json=body, headers={"accept": "image/gif"}), 406, "not_acceptable")


@pytest.mark.parametrize("exemplar", [None, "auto"])
def test_drawn_pictures_are_marked_and_photos_are_not(client: TestClient, shop: Shop, exemplar: str | None) -> None:
    code = shop.code_of(shop.catalogue.ids[0]).tolist()
    source = b"trainedAlgorithmicMedia" if exemplar is None else b"compositeWithTrainedAlgorithmicMedia"
    for accept in ("image/jpeg", "image/png", "image/webp"):
        body = {"code": code, "exemplar": exemplar}
        picture = client.post("/v1/decode", json=body, headers={"accept": accept}).content
        assert b"digitalsourcetype/" + source in picture
        assert shop.model.model_id.encode() in picture
    for accept in ("image/png", "image/webp"):
        body = {"a": code, "b": code, "steps": 7, "exemplar_a": exemplar, "exemplar_b": exemplar}
        animation = client.post("/v1/interpolate", json=body, headers={"accept": accept}).content
        assert b"digitalsourcetype/" + source in animation
    frame = client.get(frame_url(client, quantise(np.float32(code), shop.sliders.ranges))).content
    assert b"digitalsourcetype/trainedAlgorithmicMedia" in frame
    photo = client.get(f"/v1/products/{shop.catalogue.ids[0]}/photo.jpg").content
    assert b"digitalsourcetype" not in photo
