"""Administration routes: products, models and versions. They are off unless the server has a key."""

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
from modiste.pipeline.product_changes import model_ids, put_products, remove_products, use_model
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
    """The id of a model to use."""

    model_config = ConfigDict(extra="forbid")

    model: StrictStr


def get_refresher(request: Request) -> Refresher:
    """Return the application's Refresher."""
    return request.app.state.refresher


CurrentRefresher = Annotated[Refresher, Depends(get_refresher)]


@router.get(
    "",
    operation_id="admin_status",
    summary="Status of the shop",
    response_model=responses.AdminStatus,
    responses=error_responses(401, 404),
    dependencies=[READ_ACCESS],
)
async def get_status(versions: Versions, refresher: CurrentRefresher) -> responses.AdminStatus:
    """Return what is served, what is on disk, and whether an update is under way."""
    return await _admin_status(versions, refresher)


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
    request: Request, id: ProductId, versions: Versions, refresher: CurrentRefresher
) -> responses.AdminStatus:
    """Add or replace a product, from a form with `photo`, `category` and `attributes` (JSON).

    A 202 means the change is durable. The product is searchable once it is encoded and indexed, in the background.
    """
    async with read_form(request) as form:
        photo = await read_form_photo(form)
        category, attributes = form.get("category"), form.get("attributes", "{}")
    if not isinstance(category, str) or not category.strip():
        raise _validation_problem("The form has no field `category`.")
    record = Record(_parse_product_id(id), category.strip(), photo, _parse_attributes(attributes))
    if (problem := record_problem(record)) is not None:
        raise _validation_problem(f"{problem[1][0].upper()}{problem[1][1:]}.")
    shop, photo_worker = versions.current.shop, versions.pools.photo_worker
    # The photo may come from a stranger, even if the request has the key.
    decode_photo = partial(photo_worker.read, frame=shop.frame, cut=False)
    await refresher.write(lambda: put_products(shop.path, [record], decode_photo=decode_photo))
    return await _admin_status(versions, refresher)


@router.delete(
    "/products/{id}",
    operation_id="remove_product",
    summary="Remove a product",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS | error_responses(422),
    dependencies=[ADMIN_ACCESS],
)
async def remove_product(id: ProductId, versions: Versions, refresher: CurrentRefresher) -> responses.AdminStatus:
    """Remove a product. A 202 means the change is durable; results omit it once the index is updated."""
    await refresher.write(lambda: remove_products(versions.current.shop.path, [_parse_product_id(id)]))
    return await _admin_status(versions, refresher)


@router.post(
    "/model",
    operation_id="use_model",
    summary="Use another model",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS | error_responses(413, 422),
    dependencies=[ADMIN_ACCESS],
)
async def switch_model(body: ModelRequest, versions: Versions, refresher: CurrentRefresher) -> responses.AdminStatus:
    """Use another model of the shop. Visitors are served with the current one until everything is ready."""
    await refresher.write(lambda: use_model(versions.current.shop.path, body.model))
    return await _admin_status(versions, refresher)


@router.post(
    "/reindex",
    operation_id="reindex",
    summary="Rebuild the index",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS,
    dependencies=[ADMIN_ACCESS],
)
async def reindex(versions: Versions, refresher: CurrentRefresher) -> responses.AdminStatus:
    """Rebuild the search index from the stored encodings."""
    await refresher.write(lambda: index_shop(versions.current.shop.path))
    return await _admin_status(versions, refresher)


@router.post(
    "/reload",
    operation_id="reload",
    summary="Serve what is on disk",
    status_code=202,
    response_model=responses.AdminStatus,
    responses=AUTH_ERRORS,
    dependencies=[ADMIN_ACCESS],
)
async def reload(versions: Versions, refresher: CurrentRefresher) -> responses.AdminStatus:
    """Serve the shop as `modiste` commands have changed it on disk. SIGHUP does the same."""
    refresher.request_refresh()
    return await _admin_status(versions, refresher)


async def _admin_status(versions: VersionManager, refresher: Refresher) -> responses.AdminStatus:
    models = await asyncio.to_thread(model_ids, versions.current.shop.files)
    shop = versions.current.shop  # no await from here on: all fields describe the same moment
    return responses.AdminStatus(
        shop_version=versions.current.version,
        previous_version=None if versions.previous is None else versions.previous.version,
        model=shop.model.model_id,
        models=models,
        products=len(shop.catalogue),
        refreshing=refresher.is_refreshing,
        stage=refresher.stage,
        error=refresher.error,
    )


def _parse_product_id(id: str) -> str:
    """Return the id in a path, which is percent-encoded. Raises ProblemException (422)."""
    product_id = unquote(id, errors="replace")
    if (problem := id_problem(product_id)) is not None:
        raise _validation_problem(f"{problem[0].upper()}{problem[1:]}.")
    return product_id


def _parse_attributes(text: Any) -> dict[str, Any]:
    try:
        attributes: Any = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        attributes = None
    plain = (str, int, float, bool, type(None))
    if not isinstance(attributes, dict) or not all(isinstance(each, plain) for each in attributes.values()):  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]
        raise _validation_problem("`attributes` is not a JSON object of plain values.")
    return parse_attributes(attributes, without=())  # pyright: ignore[reportUnknownVariableType]


def _validation_problem(detail: str) -> ProblemException:
    return ProblemException(422, "validation", detail, remedy="Send photo, category and attributes as /docs says.")
