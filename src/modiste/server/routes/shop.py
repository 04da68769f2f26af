"""Routes that describe the shop."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from modiste.server.dependencies import CurrentShop
from modiste.server.openapi import binary_response, error_responses
from modiste.server.payloads import (
    card_payload,
    map_payload,
    shop_payload,
    sliders_payload,
)
from modiste.server.schemas import responses

router = APIRouter(tags=["shop"])


@router.get("/v1/shop", operation_id="shop", summary="The shop", response_model=responses.ShopInfo)
async def shop(request: Request, studio: CurrentShop) -> Response:
    """What the shop has, and what may be asked of it."""
    return (await studio.cached_body("shop", shop_payload)).response(request)


@router.get("/v1/sliders", operation_id="sliders", summary="The sliders", response_model=responses.Sliders)
async def sliders(request: Request, studio: CurrentShop) -> Response:
    """Every slider with its range and its name: one per latent, and those by attribute."""
    return (await studio.cached_body("sliders", sliders_payload)).response(request)


@router.get("/v1/map", operation_id="map", summary="The map", response_model=responses.CatalogueMap)
async def map_(request: Request, studio: CurrentShop) -> Response:
    """The catalogue in two dimensions, column by column."""
    return (await studio.cached_body("map", map_payload)).response(request)


@router.get(
    "/v1/model-card",
    operation_id="model_card",
    summary="The model card",
    response_class=Response,
    responses=binary_response("text/markdown") | error_responses(503),
)
async def model_card(request: Request, studio: CurrentShop) -> Response:
    """What the model is, what it was made from, and what not to expect of it."""
    return (await studio.cached_body("card", card_payload)).response(request)
