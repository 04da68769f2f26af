"""Routes that describe the shop."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from modiste.server.dependencies import Here
from modiste.server.openapi import picture, refusals
from modiste.server.payloads import (
    card_payload,
    map_payload,
    shop_payload,
    sliders_payload,
)
from modiste.server.schemas import responses

routes = APIRouter(tags=["the shop"])


@routes.get("/v1/shop", operation_id="shop", summary="The shop", response_model=responses.ShopShown)
async def shop(request: Request, studio: Here) -> Response:
    """What the shop has, and what may be asked of it."""
    return (await studio.prepared("shop", shop_payload)).answer(request)


@routes.get(
    "/v1/sliders", operation_id="sliders", summary="The sliders", response_model=responses.SlidersShown
)
async def sliders(request: Request, studio: Here) -> Response:
    """Every slider with its range and its name: one per latent, and those by attribute."""
    return (await studio.prepared("sliders", sliders_payload)).answer(request)


@routes.get("/v1/map", operation_id="map", summary="The map", response_model=responses.MapShown)
async def map_(request: Request, studio: Here) -> Response:
    """The catalogue in two dimensions, column by column."""
    return (await studio.prepared("map", map_payload)).answer(request)


@routes.get(
    "/v1/card",
    operation_id="card",
    summary="The model card",
    response_class=Response,
    responses=picture("text/markdown") | refusals(503),
)
async def card(request: Request, studio: Here) -> Response:
    """What the model is, what it was made from, and what not to expect of it."""
    return (await studio.prepared("card", card_payload)).answer(request)
