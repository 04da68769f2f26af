"""The route that reads a photo: counted as it comes in, cut to the shop's background, and encoded."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from modiste.images.photo import to_jpeg
from modiste.server import serialize
from modiste.server.dependencies import Here
from modiste.server.middleware.body_limit import (
    ENCODE,
    MULTIPART_BYTES,
    PHOTO_BYTES,
    too_large,
)
from modiste.server.openapi import refusals
from modiste.server.problems import Refusal
from modiste.server.schemas import responses
from modiste.server.served_shop import Studio, base64_of

PHOTOS = ("image/jpeg", "image/png", "image/webp")
UNSAID = ("", "application/octet-stream")  # a form's file whose type the client does not know
MULTIPART = "multipart/form-data"
BINARY = {"type": "string", "format": "binary"}

routes = APIRouter(tags=["designs"])


@routes.post(
    ENCODE,
    operation_id="encode",
    summary="Read a photo",
    response_model=responses.Encoded,
    responses=refusals(413, 415, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **{each: {"schema": BINARY} for each in PHOTOS},
                MULTIPART: {
                    "schema": {"type": "object", "required": ["photo"], "properties": {"photo": BINARY}}
                },
            },
        }
    },
)
async def encode(
    request: Request,
    studio: Here,
    cut: Annotated[bool, Query(description="Whether to cut the background to the shop's.")] = True,
) -> responses.Encoded:
    """What the model makes of a photo: the raw body, or the field `photo` of a form; JPEG, PNG or WebP."""
    kind = _media_type(request.headers.get("content-type"))
    if kind == MULTIPART:
        async with read_form(request) as form:
            data = await form_photo(form)
    elif kind in PHOTOS:
        data = await request.body()
    else:
        raise _unsupported(kind)
    if len(data) > PHOTO_BYTES:
        raise too_large(PHOTO_BYTES)
    return await studio.slowly(_encoded, studio, data, cut)


class InMemoryParser(MultiPartParser):
    """Parser of a form that never writes a photo to a temporary file: `BodyLimit` bounds what it holds."""

    spool_max_size = PHOTO_BYTES + MULTIPART_BYTES


@asynccontextmanager
async def read_form(request: Request) -> AsyncGenerator[FormData]:
    """Read a form of at most one file and eight other fields; any other body is an empty form.

    Raises HTTPException (400) where the form is malformed, Refusal (413) where it is too large.
    """
    if _media_type(request.headers.get("content-type")) != MULTIPART:
        yield FormData()
        return
    try:
        parser = InMemoryParser(request.headers, request.stream(), max_files=1, max_fields=8)
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    try:
        yield form
    finally:
        await form.close()


async def form_photo(form: FormData) -> bytes:
    """The file `photo` of a form. Raises Refusal: 413, 415, 422."""
    field = form.get("photo")
    if not isinstance(field, UploadFile):
        raise Refusal(
            422, "validation", "The form has no file `photo`.", remedy="Send it as the field `photo`."
        )
    kind = _media_type(field.content_type)
    if kind not in (*PHOTOS, *UNSAID):
        raise _unsupported(kind)
    data = await field.read()
    if len(data) > PHOTO_BYTES:
        raise too_large(PHOTO_BYTES)
    return data


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _unsupported(kind: str) -> Refusal:
    return Refusal(
        415,
        "unsupported_media",
        f"A photo of type {kind[:80]!r} is not read.",
        remedy=f"Send {', '.join(PHOTOS)} as the body, or a form with the file `photo`.",
    )


def _encoded(studio: Studio, data: bytes, cut: bool) -> responses.Encoded:
    shop = studio.shop
    photo = studio.crews.reader.read(data, shop.frame, cut)
    if cut:
        found = shop.cut_out(photo)
        seen, done, share = found.photo, found.cut, found.share
    else:  # the same pixels as if the shop had taken the photo in
        seen, done, share = photo, False, 1.0
    posterior = shop.encode(seen)
    # A photo of something else may lie beyond what may be asked about.
    code = posterior.code.clip(studio.reach[:, 0], studio.reach[:, 1])
    return responses.Encoded(
        code=code.tolist(),
        mean=posterior.mean.tolist(),
        std=posterior.std.tolist(),
        cluster=serialize.cluster_of(shop, shop.cluster_of(code)),
        typicality=serialize.typicality_of(shop, code),
        cut=responses.Cut(done=done, share=share, photo=base64_of(to_jpeg(seen))),
    )
