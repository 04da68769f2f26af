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
    model_ids,
    put_products,
    remove_products,
    use_model,
)
from modiste.server.auth import require_admin_key, require_read_key
from modiste.server.dependencies import Versions
from modiste.server.openapi import error_responses
from modiste.server.problems import ProblemException
from modiste.server.refresher import Refresher
from modiste.server.routes.encode import BINARY_SCHEMA, read_form, read_form_photo
from modiste.server.routes.products import ProductId
from modiste.server.schemas import responses
from modiste.server.versions import VersionManager
from modiste.sources.normalize import parse_attributes
from modiste.sources.record import Record
from modiste.sources.sanitize import id_problem, record_problem

AUTH_ERRORS = error_responses(401, 403, 404)

router = APIRouter(prefix="/v1/admin", tags=["admin"])
READ_ACCESS = Depends(require_read_key)
ADMIN_ACCESS = Depends(require_admin_key)


class ModelRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: StrictStr


def get_refresher(request: Request) -> Refresher:
    """What keeps the served shop up to date."""
    return request.app.state.keeper


CurrentRefresher = Annotated[Refresher, Depends(get_refresher)]


@router.get(
    "",
    operation_id="admin_status",
    summary="Status of the shop",
    response_model=responses.AdminStatus,
    responses=error_responses(401, 404),
    dependencies=[READ_ACCESS],
)
async def get_status(front: Versions, keeper: CurrentRefresher) -> responses.AdminStatus:
    """What is served, what is on disk, and whether an update is under way."""
    return await _admin_status(front, keeper)


@router.put(
    "/products/{id}",
    operation_id="put_product",
    summary="Add or replace a product",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS | error_responses(413, 415, 422),
    dependencies=[ADMIN_ACCESS],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["photo", "category"],
                        "properties": {
                            "photo": BINARY_SCHEMA,
                            "category": {"type": "string"},
                            "attributes": {"type": "string", "description": "A JSON object."},
                        },
                    }
                }
            },
        }
    },
)
async def put_product(
    request: Request, id: ProductId, front: Versions, keeper: CurrentRefresher
) -> responses.AdminStatus:
    """A product from a form: `photo`, `category` and, as JSON, `attributes`. It is on disk when this answers, and
    served once it is encoded and indexed."""
    async with read_form(request) as form:
        photo = await read_form_photo(form)
        category, attributes = form.get("category"), form.get("attributes", "{}")
    if not isinstance(category, str) or not category.strip():
        raise _validation_problem("The form has no category.")
    record = Record(_parse_product_id(id), category.strip(), photo, _parse_attributes(attributes))
    if (why := record_problem(record)) is not None:
        raise _validation_problem(f"{why[1][0].upper()}{why[1][1:]}.")
    shop, reader = front.current.shop, front.pools.photo_worker
    # Whoever has the key may still have been handed the photo by somebody else.
    read = partial(reader.read, frame=shop.frame, cut=False)
    await keeper.write(lambda: put_products(shop.path, [record], decode_photo=read))
    return await _admin_status(front, keeper)


@router.delete(
    "/products/{id}",
    operation_id="remove_product",
    summary="Remove a product",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS | error_responses(422),
    dependencies=[ADMIN_ACCESS],
)
async def remove_product(id: ProductId, front: Versions, keeper: CurrentRefresher) -> responses.AdminStatus:
    """Take a product out. It is gone from disk when this answers, and from answers once the index is updated."""
    await keeper.write(lambda: remove_products(front.current.shop.path, [_parse_product_id(id)]))
    return await _admin_status(front, keeper)


@router.post(
    "/model",
    operation_id="use_model",
    summary="Use another model",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS | error_responses(413, 422),
    dependencies=[ADMIN_ACCESS],
)
async def switch_model(
    asked: ModelRequest, front: Versions, keeper: CurrentRefresher
) -> responses.AdminStatus:
    """Go over to another of the shop's models, or back: visitors have the one before until all is ready."""
    await keeper.write(lambda: use_model(front.current.shop.path, asked.model))
    return await _admin_status(front, keeper)


@router.post(
    "/reindex",
    operation_id="reindex",
    summary="Lay out the index anew",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS,
    dependencies=[ADMIN_ACCESS],
)
async def reindex(front: Versions, keeper: CurrentRefresher) -> responses.AdminStatus:
    """Lay out the search index anew, from the database."""
    await keeper.write(lambda: index_shop(front.current.shop.path))
    return await _admin_status(front, keeper)


@router.post(
    "/reload",
    operation_id="reload",
    summary="Serve what is on disk",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS,
    dependencies=[ADMIN_ACCESS],
)
async def reload(front: Versions, keeper: CurrentRefresher) -> responses.AdminStatus:
    """Take up what `modiste` commands have changed beside the server; SIGHUP does the same."""
    keeper.request_refresh()
    return await _admin_status(front, keeper)


async def _admin_status(front: VersionManager, keeper: Refresher) -> responses.AdminStatus:
    models = await asyncio.to_thread(model_ids, front.current.shop.files)
    shop = front.current.shop  # from here on nothing is waited for, so that all is said of one moment
    return responses.AdminStatus(
        shop_version=front.current.version,
        previous_version=None if front.previous is None else front.previous.version,
        model=shop.model.model_id,
        models=models,
        products=len(shop.catalogue),
        refreshing=keeper.is_refreshing,
        stage=keeper.stage,
        error=keeper.error,
    )


def _parse_product_id(id: str) -> str:
    """The id in a path, which comes percent-encoded. Raises Refusal."""
    found = unquote(id, errors="replace")
    if (why := id_problem(found)) is not None:
        raise _validation_problem(f"{why[0].upper()}{why[1:]}.")
    return found


def _parse_attributes(text: Any) -> dict[str, Any]:
    try:
        held: Any = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        held = None
    plain = (str, int, float, bool, type(None))
    if not isinstance(held, dict) or not all(isinstance(each, plain) for each in held.values()):  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]
        raise _validation_problem("The attributes are no JSON object of plain values.")
    return parse_attributes(held, without=())  # as a table's; pyright: ignore[reportUnknownVariableType]


def _validation_problem(detail: str) -> ProblemException:
    return ProblemException(
        422, "validation", detail, remedy="Send photo, category and attributes as /docs says."
    )
