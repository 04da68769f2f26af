"""The routes for whoever keeps the shop: products, models, and what is served. Off unless a key is set."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, StrictStr
from starlette.requests import Request

from modiste.pipeline.index import index_shop
from modiste.pipeline.update import (
    models_of,
    put_products,
    remove_products,
    use_model,
)
from modiste.server.auth import allow_changes, allow_reading
from modiste.server.dependencies import AtFront
from modiste.server.openapi import refusals
from modiste.server.problems import Refusal
from modiste.server.refresher import Keeper
from modiste.server.routes.encode import BINARY, form_photo, read_form
from modiste.server.routes.products import Id
from modiste.server.schemas import responses
from modiste.server.versions import Front
from modiste.sources.normalize import attributes_of
from modiste.sources.record import Record
from modiste.sources.sanitize import unfit, unfit_id

DENIED = refusals(401, 403, 404)

routes = APIRouter(prefix="/v1/admin", tags=["administration"])
Reading = Depends(allow_reading)
Changing = Depends(allow_changes)


class ModelAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: StrictStr


def keeper_of(request: Request) -> Keeper:
    """What keeps the served shop up to date."""
    return request.app.state.keeper


Kept = Annotated[Keeper, Depends(keeper_of)]


@routes.get(
    "",
    operation_id="admin",
    summary="How the shop stands",
    response_model=responses.Administered,
    responses=refusals(401, 404),
    dependencies=[Reading],
)
async def state(front: AtFront, keeper: Kept) -> responses.Administered:
    """What is served, what is on disk, and whether something is being made anew."""
    return await _state(front, keeper)


@routes.put(
    "/products/{id}",
    operation_id="put_product",
    summary="Add or replace a product",
    status_code=202,
    response_model=responses.Administered,
    responses=DENIED | refusals(413, 415, 422),
    dependencies=[Changing],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["photo", "category"],
                        "properties": {
                            "photo": BINARY,
                            "category": {"type": "string"},
                            "attributes": {"type": "string", "description": "A JSON object."},
                        },
                    }
                }
            },
        }
    },
)
async def put(request: Request, id: Id, front: AtFront, keeper: Kept) -> responses.Administered:
    """A product from a form: `photo`, `category` and, as JSON, `attributes`. It is on disk when this answers, and
    served once encodings and map are made anew."""
    async with read_form(request) as form:
        photo = await form_photo(form)
        category, attributes = form.get("category"), form.get("attributes", "{}")
    if not isinstance(category, str) or not category.strip():
        raise _invalid("The form has no category.")
    record = Record(_id(id), category.strip(), photo, _attributes(attributes))
    if (why := unfit(record)) is not None:
        raise _invalid(f"{why[1][0].upper()}{why[1][1:]}.")
    shop, reader = front.now.shop, front.crews.reader
    # Whoever has the key may still have been handed the photo by somebody else.
    read = partial(reader.read, frame=shop.frame, cut=False)
    await keeper.write(lambda: put_products(shop.path, [record], read=read))
    return await _state(front, keeper)


@routes.delete(
    "/products/{id}",
    operation_id="remove_product",
    summary="Remove a product",
    status_code=202,
    response_model=responses.Administered,
    responses=DENIED | refusals(422),
    dependencies=[Changing],
)
async def remove(id: Id, front: AtFront, keeper: Kept) -> responses.Administered:
    """Take a product out. It is gone from disk when this answers, and from answers once the map is made anew."""
    await keeper.write(lambda: remove_products(front.now.shop.path, [_id(id)]))
    return await _state(front, keeper)


@routes.post(
    "/model",
    operation_id="use_model",
    summary="Use another model",
    status_code=202,
    response_model=responses.Administered,
    responses=DENIED | refusals(413, 422),
    dependencies=[Changing],
)
async def use(asked: ModelAsked, front: AtFront, keeper: Kept) -> responses.Administered:
    """Go over to another of the shop's models, or back: visitors have the one before until all is ready."""
    await keeper.write(lambda: use_model(front.now.shop.path, asked.model))
    return await _state(front, keeper)


@routes.post(
    "/reindex",
    operation_id="reindex",
    summary="Lay out the index anew",
    status_code=202,
    response_model=responses.Administered,
    responses=DENIED,
    dependencies=[Changing],
)
async def reindex(front: AtFront, keeper: Kept) -> responses.Administered:
    """Lay out the search index anew, from the database."""
    await keeper.write(lambda: index_shop(front.now.shop.path))
    return await _state(front, keeper)


@routes.post(
    "/reload",
    operation_id="reload",
    summary="Serve what is on disk",
    status_code=202,
    response_model=responses.Administered,
    responses=DENIED,
    dependencies=[Changing],
)
async def reload(front: AtFront, keeper: Kept) -> responses.Administered:
    """Take up what `modiste` commands have changed beside the server; SIGHUP does the same."""
    keeper.want()
    return await _state(front, keeper)


async def _state(front: Front, keeper: Keeper) -> responses.Administered:
    models = await asyncio.to_thread(models_of, front.now.shop.files)
    shop = front.now.shop  # from here on nothing is waited for, so that all is said of one moment
    return responses.Administered(
        version=front.now.version,
        before=None if front.before is None else front.before.version,
        model=shop.model.model_id,
        models=models,
        products=len(shop.catalogue),
        working=keeper.at_work,
        stage=keeper.stage,
        error=keeper.error,
    )


def _id(id: str) -> str:
    """The id in a path, which comes percent-encoded. Raises Refusal."""
    found = unquote(id, errors="replace")
    if (why := unfit_id(found)) is not None:
        raise _invalid(f"{why[0].upper()}{why[1:]}.")
    return found


def _attributes(text: Any) -> dict[str, Any]:
    try:
        held: Any = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        held = None
    plain = (str, int, float, bool, type(None))
    if not isinstance(held, dict) or not all(isinstance(each, plain) for each in held.values()):  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]
        raise _invalid("The attributes are no JSON object of plain values.")
    return attributes_of(held, without=())  # as a table's; pyright: ignore[reportUnknownVariableType]


def _invalid(detail: str) -> Refusal:
    return Refusal(422, "validation", detail, remedy="Send photo, category and attributes as /docs says.")
