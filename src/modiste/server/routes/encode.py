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
from modiste.server.dependencies import CurrentShop
from modiste.server.middleware.body_limit import (
    ENCODE_PATH,
    MAX_PHOTO_BYTES,
    MULTIPART_OVERHEAD_BYTES,
    too_large_problem,
)
from modiste.server.openapi import error_responses
from modiste.server.problems import ProblemException
from modiste.server.schemas import responses
from modiste.server.served_shop import ServedShop, to_base64

PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp")
UNKNOWN_TYPES = ("", "application/octet-stream")  # a form's file whose type the client does not know
MULTIPART_TYPE = "multipart/form-data"
BINARY_SCHEMA = {"type": "string", "format": "binary"}

router = APIRouter(tags=["designs"])


@router.post(
    ENCODE_PATH,
    operation_id="encode",
    summary="Read a photo",
    response_model=responses.EncodeResponse,
    responses=error_responses(413, 415, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **{each: {"schema": BINARY_SCHEMA} for each in PHOTO_TYPES},
                MULTIPART_TYPE: {
                    "schema": {
                        "type": "object",
                        "required": ["photo"],
                        "properties": {"photo": BINARY_SCHEMA},
                    }
                },
            },
        }
    },
)
async def encode(
    request: Request,
    studio: CurrentShop,
    cut: Annotated[bool, Query(description="Whether to cut the background to the shop's.")] = True,
) -> responses.EncodeResponse:
    """What the model makes of a photo: the raw body, or the field `photo` of a form; JPEG, PNG or WebP."""
    kind = _media_type(request.headers.get("content-type"))
    if kind == MULTIPART_TYPE:
        async with read_form(request) as form:
            data = await read_form_photo(form)
    elif kind in PHOTO_TYPES:
        data = await request.body()
    else:
        raise _unsupported_media_problem(kind)
    if len(data) > MAX_PHOTO_BYTES:
        raise too_large_problem(MAX_PHOTO_BYTES)
    return await studio.run_slow(_encode_photo, studio, data, cut)


class InMemoryParser(MultiPartParser):
    """Parser of a form that never writes a photo to a temporary file: `BodyLimit` bounds what it holds."""

    spool_max_size = MAX_PHOTO_BYTES + MULTIPART_OVERHEAD_BYTES


@asynccontextmanager
async def read_form(request: Request) -> AsyncGenerator[FormData]:
    """Read a form of at most one file and eight other fields; any other body is an empty form.

    Raises HTTPException (400) where the form is malformed, Refusal (413) where it is too large.
    """
    if _media_type(request.headers.get("content-type")) != MULTIPART_TYPE:
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


async def read_form_photo(form: FormData) -> bytes:
    """The file `photo` of a form. Raises Refusal: 413, 415, 422."""
    field = form.get("photo")
    if not isinstance(field, UploadFile):
        raise ProblemException(
            422, "validation", "The form has no file `photo`.", remedy="Send it as the field `photo`."
        )
    kind = _media_type(field.content_type)
    if kind not in (*PHOTO_TYPES, *UNKNOWN_TYPES):
        raise _unsupported_media_problem(kind)
    data = await field.read()
    if len(data) > MAX_PHOTO_BYTES:
        raise too_large_problem(MAX_PHOTO_BYTES)
    return data


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _unsupported_media_problem(kind: str) -> ProblemException:
    return ProblemException(
        415,
        "unsupported_media",
        f"A photo of type {kind[:80]!r} is not read.",
        remedy=f"Send {', '.join(PHOTO_TYPES)} as the body, or a form with the file `photo`.",
    )


def _encode_photo(studio: ServedShop, data: bytes, cut: bool) -> responses.EncodeResponse:
    shop = studio.shop
    photo = studio.pools.photo_worker.read(data, shop.frame, cut)
    if cut:
        found = shop.cut_out(photo)
        seen, done, share = found.photo, found.is_cut, found.share
    else:  # the same pixels as if the shop had taken the photo in
        seen, done, share = photo, False, 1.0
    posterior = shop.encode(seen)
    # A photo of something else may lie beyond what may be asked about.
    code = posterior.code.clip(shop.code_bounds[:, 0], shop.code_bounds[:, 1])
    return responses.EncodeResponse(
        code=code.tolist(),
        mean=posterior.mean.tolist(),
        std=posterior.std.tolist(),
        cluster=serialize.serialize_cluster(studio.engine.context, shop.cluster_of(code)),
        typicality=serialize.serialize_location(studio.engine, code)[0],
        cut=responses.Cutout(done=done, share=share, photo=to_base64(to_jpeg(seen))),
    )
