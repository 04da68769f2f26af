"""The route that reads a photo: counted as it comes in, cut to the shop's background, and encoded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from modiste.catalogue.photo import to_jpeg
from modiste.studio import shapes, starts
from modiste.studio.describing import refusals
from modiste.studio.here import Here
from modiste.studio.problems import Refusal
from modiste.studio.security import ENCODE, PHOTO_BYTES, too_large
from modiste.studio.state import Studio, base64_of

PHOTOS = ("image/jpeg", "image/png", "image/webp")
UNSAID = ("", "application/octet-stream")  # a form's file whose type the client does not know
MULTIPART = "multipart/form-data"
BINARY = {"type": "string", "format": "binary"}

routes = APIRouter(tags=["designs"])


@routes.post(
    ENCODE,
    operation_id="encode",
    summary="Read a photo",
    response_model=shapes.Encoded,
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
) -> shapes.Encoded:
    """What the model makes of a photo: the raw body, or the field `photo` of a form; JPEG, PNG or WebP."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MULTIPART:
        async with request.form(max_files=1, max_fields=8) as form:
            data = await form_photo(form)
    elif kind in PHOTOS:
        data = await request.body()
    else:
        raise _unsupported(kind)
    if len(data) > PHOTO_BYTES:
        raise too_large(PHOTO_BYTES)
    return await studio.slowly(_encoded, studio, data, cut)


async def form_photo(form: FormData) -> bytes:
    """The file `photo` of a form. Raises Refusal: 413, 415, 422."""
    field = form.get("photo")
    if not isinstance(field, UploadFile):
        raise Refusal(
            422, "validation", "The form has no file `photo`.", remedy="Send it as the field `photo`."
        )
    kind = (field.content_type or "").partition(";")[0].strip().lower()
    if kind not in (*PHOTOS, *UNSAID):
        raise _unsupported(kind)
    data = await field.read()
    if len(data) > PHOTO_BYTES:
        raise too_large(PHOTO_BYTES)
    return data


def _unsupported(kind: str) -> Refusal:
    return Refusal(
        415,
        "unsupported_media",
        f"A photo of type {kind[:80]!r} is not read.",
        remedy=f"Send {', '.join(PHOTOS)} as the body, or a form with the file `photo`.",
    )


def _encoded(studio: Studio, data: bytes, cut: bool) -> shapes.Encoded:
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
    return shapes.Encoded(
        code=code.tolist(),
        mean=posterior.mean.tolist(),
        std=posterior.std.tolist(),
        cluster=starts.cluster_of(shop, shop.cluster_of(code)),
        typicality=starts.typicality_of(shop, code),
        cut=shapes.Cut(done=done, share=share, photo=base64_of(to_jpeg(seen))),
    )
