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

from modiste.images.photo import Photo, to_jpeg, to_png, to_webp
from modiste.latent import arithmetic
from modiste.server.dependencies import CurrentShop, get_versions
from modiste.server.design_codec import dequantise, from_base64url
from modiste.server.negotiation import negotiate
from modiste.server.problems import ProblemException
from modiste.server.schemas.openapi import NO_STORE_HEADERS, binary_response, error_responses, text_parameter
from modiste.server.schemas.requests import InterpolateRequest, QuerySource
from modiste.server.serialize import check_bounds, query_code
from modiste.server.served_shop import JPEG_QUALITY

IMMUTABLE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}
IMAGE_WRITERS = {"image/jpeg": partial(to_jpeg, quality=JPEG_QUALITY), "image/png": to_png, "image/webp": to_webp}
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
    picture = served.frame_cache.get(data)
    if picture is None:
        served.metrics.cache_misses.inc()
        picture = await served.run_draw(served.draw, dequantise(data, served.ranges))
        served.frame_cache.put(data, picture)
    else:
        served.metrics.cache_hits.inc()
    return Response(picture, media_type="image/jpeg", headers=IMMUTABLE_HEADERS)


@router.post(
    "/v1/decode", summary="Draw a code", responses=binary_response(*IMAGE_WRITERS) | error_responses(404, 406, 413, 422)
)
async def decode(request: Request, body: QuerySource, served: CurrentShop) -> Response:
    """Draw a code in full precision, as JPEG, PNG or WebP, as Accept says."""
    media_type = negotiate(request, tuple(IMAGE_WRITERS))
    code = query_code(served.engine, body)
    picture = await served.run_draw(served.draw, code, IMAGE_WRITERS[media_type])
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
    codes = arithmetic.interpolate(a, b, np.linspace(0.0, 1.0, body.steps))
    shop = served.shop
    write = _side_by_side if media_type == "image/png" else partial(_animated_webp, there_and_back=body.there_and_back)
    # One at a time: a batch of sixty would take 300 MB in the network's layers.
    picture = await served.run_slow(lambda: write([shop.decode(code) for code in codes]))
    return Response(picture, media_type=media_type, headers=NO_STORE_HEADERS | {"Vary": "Accept"})


def _required_parameter(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if value is None:
        raise ProblemException(
            422, "validation", f"query.{name}: it is missing.", remedy="Give /v1/render.jpg `render_id` and `design`."
        )
    return value


def _side_by_side(photos: Sequence[Photo]) -> bytes:
    """Return photos, uint8 `(H, W, 3)` each, side by side as a PNG."""
    return to_png(np.concatenate(photos, axis=1))


def _animated_webp(photos: Sequence[Photo], *, there_and_back: bool) -> bytes:
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
    )
    return buffer.getvalue()
