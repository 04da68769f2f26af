"""Routes that describe the shop: itself, its sliders, its map and its model card."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from modiste.server.dependencies import CurrentShop
from modiste.server.payloads import card_payload, map_payload, mixture_payload, shop_payload, sliders_payload
from modiste.server.schemas import responses
from modiste.server.schemas.openapi import error_responses, text_response

router = APIRouter(tags=["shop"])


@router.get("/v1/shop", summary="The shop", response_model=responses.ShopInfo)
async def shop(request: Request, served: CurrentShop) -> Response:
    """Return what the shop has, and which queries it supports."""
    return (await served.cached_body("shop", shop_payload)).response(request)


@router.get("/v1/sliders", summary="The sliders", response_model=responses.Sliders)
async def sliders(request: Request, served: CurrentShop) -> Response:
    """Return every slider with its name and range: one per latent, and those by attribute."""
    return (await served.cached_body("sliders", sliders_payload)).response(request)


@router.get("/v1/mixture", summary="The mixture of the catalogue", response_model=responses.Mixture)
async def mixture(request: Request, served: CurrentShop) -> Response:
    """Return the Gaussian mixture of the catalogue's codes, with which POST /v1/condition keeps designs realistic."""
    return (await served.cached_body("mixture", mixture_payload)).response(request)


@router.get("/v1/map", name="map", summary="The map", response_model=responses.CatalogueMap)
async def map_(request: Request, served: CurrentShop) -> Response:
    """Return the catalogue in two dimensions, column by column."""
    return (await served.cached_body("map", map_payload)).response(request)


@router.get(
    "/v1/model-card",
    summary="The model card",
    response_class=Response,
    responses=text_response("text/markdown") | error_responses(503),
)
async def model_card(request: Request, served: CurrentShop) -> Response:
    """Return the model card: what the model is, how it was trained, and its limits."""
    return (await served.cached_body("card", card_payload)).response(request)
