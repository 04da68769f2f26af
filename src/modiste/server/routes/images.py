"""The routes that draw: a live frame whose URL decides its bytes, a code in full precision, the way between two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from modiste.errors import BadCode
from modiste.images.photo import (
    Photo,
    to_jpeg,
    to_png,
    to_webp,
)
from modiste.latent.arithmetic import interpolate
from modiste.latent.posterior import check_code
from modiste.server.dependencies import Here, front_of
from modiste.server.design_codec import dequantise, from_text
from modiste.server.negotiation import negotiate
from modiste.server.openapi import (
    NO_STORE,
    picture,
    refusals,
    text_parameter,
)
from modiste.server.problems import Refusal
from modiste.server.schemas.requests import BetweenAsked, Start
from modiste.server.serialize import code_of
from modiste.server.served_shop import QUALITY, Studio

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
WRITERS = {"image/jpeg": partial(to_jpeg, quality=QUALITY), "image/png": to_png, "image/webp": to_webp}
MOVING = ("image/webp", "image/png")
MILLISECONDS = 60  # that each picture of an animation stays

routes = APIRouter(tags=["designs"])


@routes.get(
    "/v1/frame.jpg",
    operation_id="frame",
    summary="A live frame",
    response_class=Response,
    responses=picture("image/jpeg") | refusals(404, 422),
    openapi_extra={
        "parameters": [
            text_parameter("m", "The `frames` that GET /v1/sliders names: model and ranges."),
            text_parameter(
                "z", "The design: one byte per latent over its slider's range, base64url, no padding."
            ),
        ]
    },
)
async def frame(request: Request) -> Response:
    """The product that a design draws. The URL decides the bytes, so it may be kept for ever."""
    name, text = (_needed(request, key) for key in ("m", "z"))
    studio = front_of(request).drawing(name)
    if studio is None:
        raise Refusal(
            404,
            "unknown_frames",
            f"This shop draws no frames named {name[:80]!r}.",
            remedy="Ask GET /v1/sliders for the name under which it draws now, and for the ranges that go with it.",
        )
    data = from_text(text, len(studio.ranges))
    found = studio.frames.get(data)
    if found is None:
        studio.metrics.misses.inc()
        found = await studio.drawn(studio.draw, dequantise(data, studio.ranges))
        studio.frames.put(data, found)
    else:
        studio.metrics.hits.inc()
    return Response(found, media_type="image/jpeg", headers=IMMUTABLE)


@routes.post(
    "/v1/decode",
    operation_id="decode",
    summary="Draw a code",
    response_class=Response,
    responses=picture(*WRITERS) | refusals(404, 406, 413, 422),
)
async def decode(request: Request, asked: Start, studio: Here) -> Response:
    """The product that a code draws, in full precision; JPEG, PNG or WebP, as Accept says."""
    media_type = negotiate(request, tuple(WRITERS))
    code = check_one(studio, code_of(studio.shop, asked))
    drawn = await studio.drawn(studio.draw, code, WRITERS[media_type])
    return Response(drawn, media_type=media_type, headers=NO_STORE | {"Vary": "Accept"})


@routes.post(
    "/v1/between",
    operation_id="between",
    summary="From one design to another",
    response_class=Response,
    responses=picture(*MOVING) | refusals(406, 413, 422),
)
async def between(request: Request, asked: BetweenAsked, studio: Here) -> Response:
    """The way from `a` to `b`: an animated WebP, or a PNG with the pictures side by side, as Accept says."""
    media_type = negotiate(request, MOVING)
    a, b = (check_one(studio, np.array(code, np.float64)) for code in (asked.a, asked.b))
    codes = interpolate(a, b, np.linspace(0.0, 1.0, asked.steps))
    shop = studio.shop
    write = _strip if media_type == "image/png" else partial(_animation, there_and_back=asked.there_and_back)
    # One by one: sixty at once would take 300 MB in the network's layers.
    drawn = await studio.slowly(lambda: write([shop.decode(code) for code in codes]))
    return Response(drawn, media_type=media_type, headers=NO_STORE | {"Vary": "Accept"})


def check_one(studio: Studio, code: Any) -> NDArray[np.float32]:
    """One code as float32 `(n,)`, within reach of the shop. Raises BadCode."""
    checked = check_code(code, studio.shop.latent)
    outside = np.flatnonzero((checked < studio.reach[:, 0]) | (checked > studio.reach[:, 1]))
    if len(outside):
        latent = int(outside[0])
        low, high = studio.reach[latent].tolist()
        raise BadCode(
            f"Latent {latent} of the code is {checked[latent]:g}: nothing is there to draw.",
            remedy=f"Give it from {low:.3g} to {high:.3g}; GET /v1/sliders has the ranges.",
        )
    return checked


def _needed(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if value is None:
        raise Refusal(
            422, "validation", f"query.{name}: it is missing.", remedy="Give /v1/frame.jpg both m and z."
        )
    return value


def _strip(photos: Sequence[Photo]) -> bytes:
    """Photos, uint8 `(H, W, 3)` each, side by side."""
    return to_png(np.concatenate(photos, axis=1))


def _animation(photos: Sequence[Photo], *, there_and_back: bool) -> bytes:
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
        duration=MILLISECONDS,
        loop=0,
        quality=80,
        method=2,
        minimize_size=False,
    )
    return buffer.getvalue()
