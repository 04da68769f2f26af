"""The route that encodes an uploaded photo."""

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
from modiste.server.problems import ProblemException
from modiste.server.schemas import responses
from modiste.server.schemas.openapi import error_responses
from modiste.server.served_shop import ServedShop, to_base64

PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp")
UNKNOWN_TYPES = ("", "application/octet-stream")  # of a form's file, if the client does not know its type
MULTIPART_TYPE = "multipart/form-data"
BINARY_SCHEMA = {"type": "string", "format": "binary"}

router = APIRouter(tags=["designs"])


@router.post(
    ENCODE_PATH,
    summary="Read a photo",
    responses=error_responses(413, 415, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **{each: {"schema": BINARY_SCHEMA} for each in PHOTO_TYPES},
                MULTIPART_TYPE: {
                    "schema": {"type": "object", "required": ["photo"], "properties": {"photo": BINARY_SCHEMA}}
                },
            },
        }
    },
)
async def encode(
    request: Request,
    served: CurrentShop,
    cut: Annotated[bool, Query(description="Whether to cut the background to the shop's.")] = True,
) -> responses.EncodeResponse:
    """Encode a photo: the raw body, or the file `photo` of a form, as JPEG, PNG or WebP."""
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
    return await served.run_slow(_encode_photo, served, data, cut)


class InMemoryParser(MultiPartParser):
    """Form parser without temporary files. `BodyLimitMiddleware` bounds what it holds in memory."""

    spool_max_size = MAX_PHOTO_BYTES + MULTIPART_OVERHEAD_BYTES


@asynccontextmanager
async def read_form(request: Request) -> AsyncGenerator[FormData]:
    """Read a form of at most one file and eight other fields; any other body is an empty form.

    Raises HTTPException (400) if the form is malformed, ProblemException (413) if it is too large.
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
    """Return the file `photo` of a form. Raises ProblemException: 413, 415, 422."""
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
        f"The media type {kind[:80]!r} is not supported.",
        remedy=f"Send {', '.join(PHOTO_TYPES)} as the body, or a form with the file `photo`.",
    )


def _encode_photo(served: ServedShop, data: bytes, cut: bool) -> responses.EncodeResponse:
    shop = served.shop
    photo = served.pools.photo_worker.read(data, shop.frame, cut)
    if cut:
        cutout = shop.cut_out(photo)
        photo, is_cut, share = cutout.photo, cutout.is_cut, cutout.share
    else:  # the worker fitted it: these are the pixels that the shop would store
        is_cut, share = False, 1.0
    posterior = shop.encode(photo)
    # The code of another kind of photo may exceed the bounds of queries.
    code = posterior.code.clip(shop.code_bounds[:, 0], shop.code_bounds[:, 1])
    return responses.EncodeResponse(
        code=code.tolist(),
        mean=posterior.mean.tolist(),
        std=posterior.std.tolist(),
        cluster=serialize.serialize_cluster(served.engine.context, shop.cluster_of(code)),
        typicality=serialize.serialize_location(served.engine, code)[0],
        cut=responses.Cutout(done=is_cut, share=share, photo=to_base64(to_jpeg(photo))),
    )
