"""The routes that say what the shop is: itself, its sliders, its map and its model's card. Each is prepared once."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from modiste.catalogue.photo import MAX_PIXELS
from modiste.errors import ShopIncomplete
from modiste.search.index import METHODS, METRICS
from modiste.shop.counsel import SCOPES
from modiste.shop.shop import Shop
from modiste.studio import shapes, starts
from modiste.studio.describing import picture, refusals
from modiste.studio.here import Here
from modiste.studio.prepared import Prepared
from modiste.studio.security import PHOTO_BYTES
from modiste.studio.state import Studio

NOTE = "A drawn design, not a product you can buy."

routes = APIRouter(tags=["the shop"])


@routes.get("/v1/shop", operation_id="shop", summary="The shop", response_model=shapes.ShopShown)
async def shop(request: Request, studio: Here) -> Response:
    """What the shop has, and what may be asked of it."""
    return (await studio.prepared("shop", _shop)).answer(request)


@routes.get("/v1/sliders", operation_id="sliders", summary="The sliders", response_model=shapes.SlidersShown)
async def sliders(request: Request, studio: Here) -> Response:
    """Every slider with its range and its name: one per latent, and those by attribute."""
    return (await studio.prepared("sliders", _sliders)).answer(request)


@routes.get("/v1/map", operation_id="map", summary="The map", response_model=shapes.MapShown)
async def map_(request: Request, studio: Here) -> Response:
    """The catalogue in two dimensions, column by column."""
    return (await studio.prepared("map", _map)).answer(request)


@routes.get(
    "/v1/card",
    operation_id="card",
    summary="The model card",
    response_class=Response,
    responses=picture("text/markdown") | refusals(503),
)
async def card(request: Request, studio: Here) -> Response:
    """What the model is, what it was made from, and what not to expect of it."""
    return (await studio.prepared("card", _card)).answer(request)


async def prepare(studio: Studio) -> None:
    """Make these answers, and what a search looks in, before anyone asks; no crowd that waits can stop it."""
    for name, make in (("shop", _shop), ("sliders", _sliders), ("map", _map)):
        await asyncio.to_thread(studio.prepare, name, make)
    await asyncio.to_thread(lambda: studio.texts)


def limits() -> shapes.Limits:
    """What may be asked of any shop."""
    return shapes.Limits(
        photo_bytes=PHOTO_BYTES,
        megapixels=MAX_PIXELS // 1_000_000,
        k=starts.MOST,
        page_size=starts.MOST,
    )


def _shop(shop: Shop) -> Prepared:
    model = shop.model
    sizes = np.bincount(shop.assignments, minlength=len(shop.clusters)).tolist()
    shown = shapes.ShopShown(
        name=shop.files.name,
        products=len(shop.catalogue),
        model=model.model_id,
        frames=shop.sliders.frames,
        frame=_size(shop),
        latent=model.latent,
        categories=[
            shapes.Category(name=name, count=count, average=shop.category_average(name).tolist())
            for name, count in shop.catalogue.counts().items()
        ],
        clusters=[
            shapes.Cluster(**starts.cluster_of(shop, number).model_dump(), size=size)
            for number, size in enumerate(sizes)
        ],
        facets=[shapes.Facet(**each.to_dict()) for each in shop.facets],
        methods=list(METHODS),
        metrics=list(METRICS),
        scopes=list(SCOPES),
        limits=limits(),
        note=NOTE,
    )
    return Prepared.of_json(shown.model_dump())


def _sliders(shop: Shop) -> Prepared:
    held = shop.sliders
    shown = shapes.SlidersShown(
        model=shop.model.model_id,
        frames=held.frames,
        frame=_size(shop),
        latents=[
            shapes.LatentShown(
                latent=each.latent,
                name=each.name,
                low=each.low,
                high=each.high,
                minimum=each.minimum,
                maximum=each.maximum,
                kl=each.kl,
                idle=each.idle,
                effects=each.effects,
            )
            for each in held.latents
        ],
        attributes=[
            shapes.AttributeShown(
                attribute=each.attribute,
                value=each.value,
                name=each.name,
                direction=list(each.direction),
                minimum=each.minimum,
                maximum=each.maximum,
                share=each.share,
            )
            for each in held.attributes
        ],
        average=shop.encodings.code.mean(axis=0, dtype=np.float64).tolist(),
        first=_first(shop),
    )
    return Prepared.of_json(shown.model_dump())


def _first(shop: Shop) -> shapes.First:
    id_ = shop.map.first
    title = shop.title(shop.catalogue.row(id_))
    return shapes.First(id=id_, title=title, code=shop.code_of(id_).tolist())


def _map(shop: Shop) -> Prepared:
    held = shop.catalogue
    categories = list(held.counts())
    place = {name: number for number, name in enumerate(categories)}
    positions = np.round(shop.map.positions.astype(np.float64), 4)
    shown = {
        "categories": categories,
        "ids": held.ids,
        "category": [place[name] for name in held.categories],
        "x": positions[:, 0].tolist(),
        "y": positions[:, 1].tolist(),
        "attributes": {name: _colours(shop, name, swatches) for name, swatches in shop.map.swatches.items()},
    }
    return Prepared.of_json(shown)


def _colours(shop: Shop, name: str, swatches: Any) -> dict[str, Any]:
    """The values of an attribute that is a colour, and which of them each product has."""
    values = list(swatches)
    of = np.full(len(shop.catalogue), -1, np.intp)
    for number, value in enumerate(values):
        of[shop.matching({name: [value]})] = number
    return {"values": values, "colours": [swatches[value] for value in values], "of": of.tolist()}


def _card(shop: Shop) -> Prepared:
    path = shop.files.model(shop.model.model_id) / "README.md"
    try:
        return Prepared.of(path.read_bytes(), "text/markdown; charset=utf-8")
    except OSError:
        raise ShopIncomplete(
            f"The model {shop.model.model_id} has no model card.", remedy="Train the model again."
        ) from None


def _size(shop: Shop) -> list[int]:
    """(width, height)."""
    return [shop.frame[1], shop.frame[0]]
