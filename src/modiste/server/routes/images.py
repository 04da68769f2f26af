"""Routes that draw: a design at a cacheable URL, a code in full precision, the interpolation of two codes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO

import numpy as np
from fastapi import APIRouter
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from modiste.images.photo import Photo, to_png, to_webp
from modiste.latent import arithmetic
from modiste.server.dependencies import CurrentShop, get_versions
from modiste.server.design_codec import dequantise, from_base64url
from modiste.server.negotiation import negotiate
from modiste.server.problems import ProblemException
from modiste.server.schemas.openapi import (
    NO_STORE_HEADERS,
    binary_response,
    error_responses,
    share_parameter,
    text_parameter,
)
from modiste.server.schemas.requests import DecodeRequest, InterpolateRequest
from modiste.server.serialize import check_bounds, query_code
from modiste.server.served_shop import PictureWriter, ServedShop, write_frame
from modiste.shop.design_pictures import AUTO

IMMUTABLE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}
IMAGE_WRITERS: dict[str, PictureWriter] = {"image/jpeg": write_frame, "image/png": to_png, "image/webp": to_webp}
INTERPOLATION_TYPES = ("image/webp", "image/png")
FRAME_DURATION_MS = 60  # of each picture of an animation

router = APIRouter(tags=["designs"], default_response_class=Response)


@router.get(
    "/v1/render.jpg",
    summary="Draw a design",
    responses=binary_response("image/jpeg") | error_responses(404, 422),
    openapi_extra={
        "parameters": [
            text_parameter("render_id", "The `render_id` of GET /v1/sliders: names the model and the ranges."),
            text_parameter("design", "One byte per latent over its slider's range, as base64url without padding."),
            text_parameter(
                "exemplar",
                "The id of the product whose details the design is drawn with; without it, the decoder alone draws.",
                required=False,
            ),
            text_parameter(
                "photo_hash", "The `photo_hash` of the exemplar, from GET /v1/products/{id}.", required=False
            ),
            text_parameter(
                "exemplar_b", "A second exemplar, whose details are mixed with the first's.", required=False
            ),
            text_parameter("photo_hash_b", "The `photo_hash` of the second exemplar.", required=False),
            share_parameter("share", "The share of the second exemplar."),
        ]
    },
)
async def render(request: Request) -> Response:
    """Draw a design as a JPEG. The URL determines the bytes, so caches may keep them forever."""
    render_id, design = (_required_parameter(request, key) for key in ("render_id", "design"))
    served = get_versions(request).find_by_render_id(render_id)
    if served is None:
        raise ProblemException(
            404,
            "unknown_render_id",
            f"The server does not have `render_id` {render_id[:80]!r}.",
            remedy="Read the current `render_id` and the slider ranges from GET /v1/sliders.",
        )
    data = from_base64url(design, len(served.ranges))
    exemplars, share = _linked_exemplars(request, served)
    key = (data, *exemplars, share)
    picture = served.frame_cache.get(key)
    if picture is None:
        served.metrics.cache_misses.inc()
        code = dequantise(data, served.ranges)
        pictures = served.design_pictures
        picture = await served.run_draw(
            served.write, lambda: pictures.blend(code, exemplars, share), has_details=exemplars != (None, None)
        )
        served.frame_cache.put(key, picture)
    else:
        served.metrics.cache_hits.inc()
    return Response(picture, media_type="image/jpeg", headers=IMMUTABLE_HEADERS)


@router.post(
    "/v1/decode", summary="Draw a code", responses=binary_response(*IMAGE_WRITERS) | error_responses(404, 406, 413, 422)
)
async def decode(request: Request, body: DecodeRequest, served: CurrentShop) -> Response:
    """Draw a code in full precision with the details of a product, as JPEG, PNG or WebP, as Accept says."""
    media_type = negotiate(request, tuple(IMAGE_WRITERS))
    code = query_code(served.engine, body)
    exemplar = body.product if body.product is not None and body.exemplar == AUTO else body.exemplar
    write = IMAGE_WRITERS[media_type]
    picture = await served.run_draw(
        served.write, lambda: served.design_pictures.draw(code, exemplar), exemplar is not None, write
    )
    return Response(picture, media_type=media_type, headers=NO_STORE_HEADERS | {"Vary": "Accept"})


@router.post(
    "/v1/interpolate",
    summary="Interpolate between two designs",
    responses=binary_response(*INTERPOLATION_TYPES) | error_responses(406, 413, 422),
)
async def interpolate(request: Request, body: InterpolateRequest, served: CurrentShop) -> Response:
    """Interpolate from `a` to `b`: an animated WebP, or a PNG with the pictures side by side, as Accept says."""
    media_type = negotiate(request, INTERPOLATION_TYPES)
    a, b = (check_bounds(served.engine.context, code) for code in (body.a, body.b))
    shares = np.linspace(0.0, 1.0, body.steps)
    codes = arithmetic.interpolate(a, b, shares)
    pictures = served.design_pictures
    xmp = served.xmp(has_details=(body.exemplar_a, body.exemplar_b) != (None, None))
    if media_type == "image/png":
        write = partial(_side_by_side, xmp=xmp)
    else:
        write = partial(_animated_webp, there_and_back=body.there_and_back, xmp=xmp)

    def draw() -> bytes:
        exemplars = pictures.resolve(a, body.exemplar_a), pictures.resolve(b, body.exemplar_b)
        # One at a time: a batch of sixty would take 300 MB in the network's layers.
        return write([pictures.blend(code, exemplars, share) for code, share in zip(codes, shares, strict=True)])

    picture = await served.run_slow(draw)
    return Response(picture, media_type=media_type, headers=NO_STORE_HEADERS | {"Vary": "Accept"})


def _required_parameter(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if value is None:
        raise ProblemException(
            422, "validation", f"query.{name}: it is missing.", remedy=f"Give /v1/render.jpg `{name}`."
        )
    return value


def _linked_exemplars(request: Request, served: ServedShop) -> tuple[tuple[str | None, str | None], float]:
    """Return the exemplars that a picture's URL names, and the share of the second.

    The photos' hashes are in the URL, because it must determine the bytes. Raises ProblemException: 404 if an exemplar
    has another photo, 422 if the share is no number from 0 to 1.
    """
    parameters = request.query_params
    first, second = parameters.get("exemplar"), parameters.get("exemplar_b")
    for exemplar, name in ((first, "photo_hash"), (second, "photo_hash_b")):
        if exemplar is not None:
            _check_photo_hash(served, exemplar, parameters.get(name))
    if second is None:
        return (first, first), 0.0
    text = _required_parameter(request, "share")
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ProblemException(
            422, "validation", f"query.share: it is {text[:80]!r}.", remedy="Give a number from 0 to 1."
        )
    return (first, second), share


def _check_photo_hash(served: ServedShop, exemplar: str, photo_hash: str | None) -> None:
    """Raise ProblemException (404) unless the exemplar has this photo."""
    if photo_hash is None or served.photo_hashes.get(exemplar) != photo_hash:
        raise ProblemException(
            404,
            "unknown_exemplar",
            f"The server has no product {exemplar[:80]!r} with the photo {str(photo_hash)[:80]!r}.",
            remedy="Read the product's `photo_hash` from GET /v1/products/{id}.",
        )


def _side_by_side(photos: Sequence[Photo], *, xmp: bytes) -> bytes:
    """Return photos, uint8 `(H, W, 3)` each, side by side as a PNG."""
    return to_png(np.concatenate(photos, axis=1), xmp)


def _animated_webp(photos: Sequence[Photo], *, there_and_back: bool, xmp: bytes) -> bytes:
    """Return photos, uint8 `(H, W, 3)` each, as an endless animation."""
    images = [Image.fromarray(each) for each in photos]
    if there_and_back:
        images += images[-2:0:-1]
    buffer = BytesIO()
    images[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=FRAME_DURATION_MS,
        loop=0,
        quality=80,
        method=2,
        minimize_size=False,
        xmp=xmp,
    )
    return buffer.getvalue()
