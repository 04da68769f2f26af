"""Bodies of /v1/shop, /v1/sliders, /v1/map and /v1/model-card."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

import numpy as np

from modiste.errors import BadOption, ShopIncomplete
from modiste.images.photo import MAX_PIXELS
from modiste.latent.sliders import AttributeSlider
from modiste.search.index import METHODS, METRICS
from modiste.server import serialize
from modiste.server.http_cache import CachedBody
from modiste.server.middleware.body_limit import MAX_PHOTO_BYTES
from modiste.server.schemas import responses
from modiste.server.served_shop import ServedShop
from modiste.shop.query import SCOPES
from modiste.shop.shop import Shop

MIN_VALUE_SHARE = 0.01  # of a category's products: a slider towards a rarer value does not fit the category
DESIGN_NOTE = "A drawn design, not a product you can buy."


async def build_payloads(served: ServedShop) -> None:
    """Build these bodies, and the texts that a search looks in, before the first request for them."""
    for name, build in (("shop", shop_payload), ("sliders", sliders_payload), ("map", map_payload)):
        await asyncio.to_thread(served.build_body, name, build)
    await asyncio.to_thread(lambda: served.search_texts)


def request_limits() -> responses.Limits:
    """Return the limits of requests that are the same for every shop."""
    return responses.Limits(
        photo_bytes=MAX_PHOTO_BYTES,
        megapixels=MAX_PIXELS // 1_000_000,
        k=serialize.MAX_RESULTS,
        page_size=serialize.MAX_RESULTS,
    )


def shop_payload(shop: Shop) -> CachedBody:
    """Build the body of /v1/shop."""
    model = shop.model
    sizes = np.bincount(shop.assignments, minlength=len(shop.clusters)).tolist()
    body = responses.ShopInfo(
        name=shop.files.name,
        products=len(shop.catalogue),
        model=model.model_id,
        render_id=shop.sliders.render_id,
        size=_frame_size(shop),
        latent=model.latent,
        categories=[
            responses.Category(name=name, count=count, average=shop.category_average(name).tolist())
            for name, count in shop.catalogue.counts().items()
        ],
        clusters=[
            responses.Cluster(**serialize.serialize_cluster(shop.query_engine.context, number).model_dump(), size=size)
            for number, size in enumerate(sizes)
        ],
        facets=[responses.Facet(**each.to_dict()) for each in shop.facets],
        methods=list(METHODS),
        metrics=list(METRICS),
        scopes=list(SCOPES),
        limits=request_limits(),
        note=DESIGN_NOTE,
    )
    return CachedBody.from_json(body.model_dump())


def sliders_payload(shop: Shop) -> CachedBody:
    """Build the body of /v1/sliders."""
    sliders = shop.sliders
    body = responses.Sliders(
        model=shop.model.model_id,
        render_id=sliders.render_id,
        size=_frame_size(shop),
        latents=[responses.LatentSlider(**asdict(each), name=each.name, idle=each.is_idle) for each in sliders.latents],
        attributes=[
            responses.AttributeSlider(**asdict(each), name=each.name, categories=_categories_with(shop, each))
            for each in sliders.attributes
        ],
        average=shop.encodings.code.mean(axis=0, dtype=np.float64).tolist(),
        first=_opening_product(shop),
    )
    return CachedBody.from_json(body.model_dump())


def _categories_with(shop: Shop, slider: AttributeSlider) -> list[str]:
    """Return the categories in which the slider's value is not rare; all of them for a slider without a value."""
    names = list(shop.catalogue.counts())
    if slider.value is None:
        return names
    try:
        has_value = shop.filter_mask({slider.attribute: [slider.value]})
    except BadOption:  # sliders.json was edited by hand, and names what no product has
        return names
    categories = np.array(shop.catalogue.categories, object)
    return [name for name in names if has_value[categories == name].mean() >= MIN_VALUE_SHARE]


def _opening_product(shop: Shop) -> responses.OpeningProduct:
    id_ = shop.map.opening_product
    title = shop.title(shop.catalogue.row(id_))
    return responses.OpeningProduct(
        id=id_, title=title, code=shop.code_of(id_).tolist(), photo_hash=shop.store.photo_hashes()[id_]
    )


def mixture_payload(shop: Shop) -> CachedBody:
    """Build the body of /v1/mixture."""
    mixture = shop.query_engine.catalogue_mixture
    body = responses.Mixture(
        weights=mixture.weights.tolist(),
        means=np.round(mixture.means, 5).tolist(),
        covariances=np.round(mixture.covariances, 7).tolist(),
    )
    return CachedBody.from_json(body.model_dump())


def map_payload(shop: Shop) -> CachedBody:
    """Build the body of /v1/map."""
    catalogue = shop.catalogue
    categories = list(catalogue.counts())
    place = {name: number for number, name in enumerate(categories)}
    positions = np.round(shop.map.positions.astype(np.float64), 4)
    body = {
        "categories": categories,
        "ids": catalogue.ids,
        "category": [place[name] for name in catalogue.categories],
        "x": positions[:, 0].tolist(),
        "y": positions[:, 1].tolist(),
        "attributes": {name: _colour_attribute(shop, name, swatches) for name, swatches in shop.map.swatches.items()},
    }
    return CachedBody.from_json(body)


def _colour_attribute(shop: Shop, name: str, swatches: Any) -> dict[str, Any]:
    """Return the values of a colour attribute, their swatches, and the value of each product."""
    values = list(swatches)
    of = np.full(len(shop.catalogue), -1, np.intp)
    for number, value in enumerate(values):
        of[shop.filter_mask({name: [value]})] = number
    return {"values": values, "colours": [swatches[value] for value in values], "of": of.tolist()}


def card_payload(shop: Shop) -> CachedBody:
    """Build the body of /v1/model-card. Raises ShopIncomplete."""
    path = shop.files.model(shop.model.model_id) / "README.md"
    try:
        return CachedBody.from_bytes(path.read_bytes(), "text/markdown; charset=utf-8")
    except OSError:
        raise ShopIncomplete(
            f"The model {shop.model.model_id} has no model card.", remedy="Train the model again."
        ) from None


def _frame_size(shop: Shop) -> list[int]:
    """Return (width, height)."""
    return [shop.frame[1], shop.frame[0]]
