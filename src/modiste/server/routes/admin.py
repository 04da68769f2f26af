"""Administration routes: products, models and versions. They are off unless the server has a key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, StrictStr
from starlette.requests import Request

from modiste.pipeline import product_changes
from modiste.pipeline.index import index_shop
from modiste.pipeline.product_changes import model_ids
from modiste.server.auth import require_admin_key, require_read_key
from modiste.server.dependencies import get_versions
from modiste.server.problems import ProblemException
from modiste.server.refresher import Refresher
from modiste.server.routes.encode import BINARY_SCHEMA, read_form, read_form_photo
from modiste.server.routes.products import ProductId
from modiste.server.schemas import responses
from modiste.server.schemas.openapi import error_responses
from modiste.server.versions import VersionManager
from modiste.shop.shop import Shop
from modiste.sources.normalize import parse_attributes
from modiste.sources.record import Record
from modiste.sources.sanitize import id_problem, record_problem

router = APIRouter(prefix="/v1/admin", tags=["admin"])
writes = APIRouter(dependencies=[Depends(require_admin_key)], responses=error_responses(401, 403, 404))


class ModelRequest(BaseModel):
    """The id of a model to use."""

    model_config = ConfigDict(extra="forbid")

    model: StrictStr


@dataclass(frozen=True)
class Admin:
    """The served versions of the shop, and what changes the shop."""

    versions: VersionManager
    refresher: Refresher

    @property
    def shop(self) -> Shop:
        """The current version of the shop."""
        return self.versions.current.shop

    async def write(self, work: Callable[[], object]) -> responses.AdminStatus:
        """Change the shop by `work`, request its update, and return the status."""
        await self.refresher.write(work)
        return await self.status()

    async def status(self) -> responses.AdminStatus:
        """Return what is served, what is on disk, and whether an update is under way."""
        models = await asyncio.to_thread(model_ids, self.shop.files)
        versions, shop = self.versions, self.shop  # no await from here on: all fields describe the same moment
        return responses.AdminStatus(
            shop_version=versions.current.version,
            previous_version=None if versions.previous is None else versions.previous.version,
            model=shop.model.model_id,
            models=models,
            products=len(shop.catalogue),
            refreshing=self.refresher.is_refreshing,
            stage=self.refresher.stage,
            error=self.refresher.error,
        )


def get_admin(request: Request) -> Admin:
    """Return the application's Admin."""
    return Admin(get_versions(request), request.app.state.refresher)


CurrentAdmin = Annotated[Admin, Depends(get_admin)]


@router.get(
    "", summary="Status of the shop", responses=error_responses(401, 404), dependencies=[Depends(require_read_key)]
)
async def admin_status(admin: CurrentAdmin) -> responses.AdminStatus:
    """Return what is served, what is on disk, and whether an update is under way."""
    return await admin.status()


@writes.put(
    "/products/{id}",
    summary="Add or replace a product",
    status_code=202,
    responses=error_responses(413, 415, 422),
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
async def put_product(request: Request, id: ProductId, admin: CurrentAdmin) -> responses.AdminStatus:
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
    shop = admin.shop
    # The photo may come from a stranger, even if the request has the key.
    decode_photo = partial(admin.versions.pools.photo_worker.read, frame=shop.frame, cut=False)
    return await admin.write(lambda: product_changes.put_products(shop.path, [record], decode_photo=decode_photo))


@writes.delete("/products/{id}", summary="Remove a product", status_code=202, responses=error_responses(422))
async def remove_product(id: ProductId, admin: CurrentAdmin) -> responses.AdminStatus:
    """Remove a product. A 202 means the change is durable; results omit it once the index is updated."""
    return await admin.write(lambda: product_changes.remove_products(admin.shop.path, [_parse_product_id(id)]))


@writes.post("/model", summary="Use another model", status_code=202, responses=error_responses(413, 422))
async def use_model(body: ModelRequest, admin: CurrentAdmin) -> responses.AdminStatus:
    """Use another model of the shop. Visitors are served with the current one until everything is ready."""
    return await admin.write(lambda: product_changes.use_model(admin.shop.path, body.model))


@writes.post("/reindex", summary="Rebuild the index", status_code=202)
async def reindex(admin: CurrentAdmin) -> responses.AdminStatus:
    """Rebuild the search index from the stored encodings."""
    return await admin.write(lambda: index_shop(admin.shop.path))


@writes.post("/reload", summary="Serve what is on disk", status_code=202)
async def reload(admin: CurrentAdmin) -> responses.AdminStatus:
    """Serve the shop as `modiste` commands have changed it on disk. SIGHUP does the same."""
    admin.refresher.request_refresh()
    return await admin.status()


router.include_router(writes)


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
