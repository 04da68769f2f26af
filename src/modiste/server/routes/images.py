"""The routes that draw: a live frame whose URL decides its bytes, a code in full precision, the way between two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO

import numpy as np
from fastapi import APIRouter
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from modiste.images.photo import (
    Photo,
    to_jpeg,
    to_png,
    to_webp,
)
from modiste.latent.arithmetic import interpolate
from modiste.server.dependencies import CurrentShop, get_versions
from modiste.server.design_codec import dequantise, from_base64url
from modiste.server.negotiation import negotiate
from modiste.server.openapi import (
    NO_STORE_HEADERS,
    binary_response,
    error_responses,
    text_parameter,
)
from modiste.server.problems import ProblemException
from modiste.server.schemas.requests import InterpolateRequest, QuerySource
from modiste.server.serialize import check_bounds, query_code
from modiste.server.served_shop import JPEG_QUALITY

IMMUTABLE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}
IMAGE_WRITERS = {
    "image/jpeg": partial(to_jpeg, quality=JPEG_QUALITY),
    "image/png": to_png,
    "image/webp": to_webp,
}
INTERPOLATION_TYPES = ("image/webp", "image/png")
FRAME_DURATION_MS = 60  # that each picture of an animation stays

router = APIRouter(tags=["designs"])


@router.get(
    "/v1/render.jpg",
    operation_id="render",
    summary="Draw a design",
    response_class=Response,
    responses=binary_response("image/jpeg") | error_responses(404, 422),
    openapi_extra={
        "parameters": [
            text_parameter(
                "render_id", "The `render_id` of GET /v1/sliders: names the model and the ranges."
            ),
            text_parameter(
                "design", "One byte per latent over its slider's range, as base64url without padding."
            ),
        ]
    },
)
async def render(request: Request) -> Response:
    """Draw a design as a JPEG. The URL determines the bytes, so caches may keep them forever."""
    render_id, design = (_required_parameter(request, key) for key in ("render_id", "design"))
    studio = get_versions(request).find_by_render_id(render_id)
    if studio is None:
        raise ProblemException(
            404,
            "unknown_render_id",
            f"The server does not have `render_id` {render_id[:80]!r}.",
            remedy="Read the current `render_id` and the slider ranges from GET /v1/sliders.",
        )
    data = from_base64url(design, len(studio.ranges))
    found = studio.frame_cache.get(data)
    if found is None:
        studio.metrics.cache_misses.inc()
        found = await studio.run_draw(studio.draw, dequantise(data, studio.ranges))
        studio.frame_cache.put(data, found)
    else:
        studio.metrics.cache_hits.inc()
    return Response(found, media_type="image/jpeg", headers=IMMUTABLE_HEADERS)


@router.post(
    "/v1/decode",
    operation_id="decode",
    summary="Draw a code",
    response_class=Response,
    responses=binary_response(*IMAGE_WRITERS) | error_responses(404, 406, 413, 422),
)
async def decode(request: Request, asked: QuerySource, studio: CurrentShop) -> Response:
    """The product that a code draws, in full precision; JPEG, PNG or WebP, as Accept says."""
    media_type = negotiate(request, tuple(IMAGE_WRITERS))
    code = query_code(studio.engine, asked)
    drawn = await studio.run_draw(studio.draw, code, IMAGE_WRITERS[media_type])
    return Response(drawn, media_type=media_type, headers=NO_STORE_HEADERS | {"Vary": "Accept"})


@router.post(
    "/v1/interpolate",
    operation_id="interpolate",
    summary="Interpolate between two designs",
    response_class=Response,
    responses=binary_response(*INTERPOLATION_TYPES) | error_responses(406, 413, 422),
)
async def interpolate_designs(request: Request, asked: InterpolateRequest, studio: CurrentShop) -> Response:
    """The way from `a` to `b`: an animated WebP, or a PNG with the pictures side by side, as Accept says."""
    media_type = negotiate(request, INTERPOLATION_TYPES)
    a, b = (check_bounds(studio.engine.context, code) for code in (asked.a, asked.b))
    codes = interpolate(a, b, np.linspace(0.0, 1.0, asked.steps))
    shop = studio.shop
    write = (
        _side_by_side
        if media_type == "image/png"
        else partial(_animated_webp, there_and_back=asked.there_and_back)
    )
    # One by one: sixty at once would take 300 MB in the network's layers.
    drawn = await studio.run_slow(lambda: write([shop.decode(code) for code in codes]))
    return Response(drawn, media_type=media_type, headers=NO_STORE_HEADERS | {"Vary": "Accept"})


def _required_parameter(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if value is None:
        raise ProblemException(
            422,
            "validation",
            f"query.{name}: it is missing.",
            remedy="Give /v1/render.jpg `render_id` and `design`.",
        )
    return value


def _side_by_side(photos: Sequence[Photo]) -> bytes:
    """Photos, uint8 `(H, W, 3)` each, side by side."""
    return to_png(np.concatenate(photos, axis=1))


def _animated_webp(photos: Sequence[Photo], *, there_and_back: bool) -> bytes:
    """Photos, uint8 `(H, W, 3)` each, one after the other, again and again."""
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
    )
    return buffer.getvalue()
