"""Uploaded photos: raw or in a form, limited in size, cut to the shop's background, rejected with a reason."""

from __future__ import annotations

import base64
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from modiste.images.photo import decode_jpeg, fit_photo, read_photo, to_jpeg, to_png, to_webp
from modiste.server.middleware.body_limit import MAX_PHOTO_BYTES, max_body_bytes
from modiste.shop.shop import Shop
from tests.server.client import refused

JPEG = {"content-type": "image/jpeg"}


def test_encode_returns_posterior_cluster_and_cut_photo(client: TestClient, shop: Shop, photo: bytes) -> None:
    answer = client.post("/v1/encode", content=photo, headers=JPEG)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    cut = shop.cut_out(read_photo(photo))
    posterior = shop.encode(cut.photo)
    for name in ("code", "mean", "std"):
        assert body[name] == getattr(posterior, name).tolist()
    number = shop.cluster_of(posterior.code)
    assert body["cluster"]["number"] == number
    assert body["cluster"]["category"] == shop.category_of_cluster[number]
    assert body["typicality"]["nearest"] in shop.catalogue.ids
    assert (body["cut"]["done"], body["cut"]["share"]) == (cut.is_cut, cut.share)
    seen = decode_jpeg(base64.b64decode(body["cut"]["photo"]))
    assert seen.shape == (*shop.frame, 3)
    assert np.abs(seen.astype(int) - cut.photo).mean() < 3


def test_encode_without_cutting_keeps_the_background(client: TestClient, shop: Shop) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200, 3)).astype(np.uint8)
    body = client.post("/v1/encode?cut=false", content=to_png(pixels), headers={"content-type": "image/png"}).json()
    assert body["code"] == shop.encode(fit_photo(pixels, shop.frame)).code.tolist()
    assert body["cut"]["done"] is False


@pytest.mark.parametrize(("write", "kind"), [(to_jpeg, "jpeg"), (to_png, "png"), (to_webp, "webp")])
def test_encode_accepts_every_photo_type_raw_and_in_a_form(
    client: TestClient, shop: Shop, write: Any, kind: str
) -> None:
    data = write(shop.photo(shop.catalogue.ids[5]))
    raw = client.post("/v1/encode", content=data, headers={"content-type": f"image/{kind}; charset=binary"})
    form = client.post("/v1/encode", files={"photo": (f"x.{kind}", data, f"image/{kind}")})
    unsaid = client.post("/v1/encode", files={"photo": ("x", data, "application/octet-stream")})
    assert raw.status_code == 200
    assert raw.json() == form.json() == unsaid.json()


def test_reduced_decoding_barely_changes_the_code_of_a_large_photo(client: TestClient, shop: Shop) -> None:
    small = shop.photo(shop.catalogue.ids[0])
    large = np.asarray(Image.fromarray(small).resize((48 * 60, 64 * 60)))
    body = client.post("/v1/encode", content=to_jpeg(large, 60), headers=JPEG).json()
    whole = shop.encode(shop.cut_out(large).photo)
    assert np.abs(np.array(body["mean"]) - whole.mean).max() < 0.5


@pytest.mark.parametrize(
    ("data", "status", "code", "reason"),
    [
        (b"", 422, "photo_error", "not_a_photo"),
        (b"GIF89a" + bytes(100), 422, "photo_error", "not_a_photo"),
        (b"<svg onload=alert(1)>", 422, "photo_error", "not_a_photo"),
        (b"\xff\xd8\xff" + bytes(50), 422, "photo_error", "truncated"),
    ],
)
def test_file_that_is_not_a_photo_is_rejected(
    client: TestClient, data: bytes, status: int, code: str, reason: str
) -> None:
    for answer in (
        client.post("/v1/encode", content=data, headers=JPEG),
        client.post("/v1/encode", files={"photo": ("x.jpg", data, "image/jpeg")}),
    ):
        assert refused(answer, status, code)["reason"] == reason


def test_small_file_with_too_many_pixels_is_rejected(client: TestClient) -> None:
    buffer = BytesIO()
    Image.new("1", (13_000, 13_000)).save(buffer, "PNG")
    assert len(buffer.getvalue()) < 100_000
    answer = client.post("/v1/encode", content=buffer.getvalue(), headers={"content-type": "image/png"})
    problem = refused(answer, 413, "photo_error")
    assert problem["reason"] == "too_large"
    assert "20 megapixels" in problem["remedy"]


@pytest.mark.parametrize(
    "kind", ["image/gif", "application/json", "text/plain", "application/octet-stream", "", "x" * 999]
)
def test_unsupported_content_type_gets_415(client: TestClient, photo: bytes, kind: str) -> None:
    answer = client.post("/v1/encode", content=photo, headers={"content-type": kind})
    assert "image/webp" in refused(answer, 415, "unsupported_media")["remedy"]


def test_form_without_exactly_one_photo_is_rejected(client: TestClient, photo: bytes) -> None:
    for files in ({"picture": ("x.jpg", photo, "image/jpeg")}, {"photo": (None, b"text")}):
        refused(client.post("/v1/encode", files=files), 422, "validation")
    refused(client.post("/v1/encode", files={"photo": ("x.gif", photo, "image/gif")}), 415, "unsupported_media")
    two = [("photo", ("a.jpg", photo, "image/jpeg")), ("photo", ("b.jpg", photo, "image/jpeg"))]
    refused(client.post("/v1/encode", files=two), 400, "bad_request")
    headers = {"content-type": "multipart/form-data"}
    refused(client.post("/v1/encode", content=photo, headers=headers), 400, "bad_request")


def test_photo_over_five_megabytes_is_rejected(client: TestClient, photo: bytes) -> None:
    large = photo + bytes(MAX_PHOTO_BYTES)
    for answer in (
        client.post("/v1/encode", content=large, headers=JPEG),
        client.post("/v1/encode", files={"photo": ("x.jpg", large, "image/jpeg")}),
    ):
        assert "5 MB" in refused(answer, 413, "too_large")["remedy"]
        assert answer.headers["connection"] == "close"
    most = photo + bytes(MAX_PHOTO_BYTES - len(photo))  # what follows a JPEG's end is not read
    assert client.post("/v1/encode", content=most, headers=JPEG).status_code == 200
    assert client.post("/v1/encode", files={"photo": ("x.jpg", most, "image/jpeg")}).status_code == 200


def test_oversized_body_without_content_length_is_rejected(client: TestClient) -> None:
    taken = 0

    def chunks() -> Any:
        nonlocal taken
        for _ in range(1000):
            taken += 100_000
            yield bytes(100_000)

    refused(client.post("/v1/encode", content=chunks(), headers=JPEG), 413, "too_large")
    assert taken >= MAX_PHOTO_BYTES


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LINK"])
@pytest.mark.parametrize("path", ["/v1/shop", "/v1/encode", "/v1/admin/products/x", "/livez", "/none"])
def test_oversized_content_length_is_rejected_for_every_method(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, content=bytes(max_body_bytes(path) + 1))
    refused(answer, 413, "too_large")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_unread_chunked_body_closes_the_connection(client: TestClient, method: str) -> None:
    for path in ("/v1/shop", "/v1/admin/products/x"):
        answer = client.request(method, path, content=iter([bytes(1000)] * 3))
        assert answer.headers["connection"] == "close", path
        assert "connection" not in client.request(method, path, content=b"announced").headers


def test_photo_in_a_form_is_never_written_to_disk(
    client: TestClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", no_disk)
    most = photo + bytes(MAX_PHOTO_BYTES - len(photo))
    assert client.post("/v1/encode", files={"photo": ("x.jpg", most, "image/jpeg")}).status_code == 200


def no_disk(*_: Any) -> None:
    raise AssertionError("a photo was written to a temporary file")


def test_invalid_value_of_cut_gets_422(client: TestClient, photo: bytes) -> None:
    refused(client.post("/v1/encode?cut=perhaps", content=photo, headers=JPEG), 422, "validation")
