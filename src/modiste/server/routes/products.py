"""The routes that show the shop's products: page by page, one by one, and their photos."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import numpy as np
from fastapi import APIRouter, Path, Query
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from modiste.errors import BadOption
from modiste.images.photo import decode_jpeg, to_webp
from modiste.server import serialize
from modiste.server.dependencies import Here
from modiste.server.http_cache import is_known
from modiste.server.openapi import picture, refusals
from modiste.server.schemas import responses
from modiste.server.served_shop import Studio
from modiste.shop.shop import Shop

RESERVED = ("page", "size", "q", "sort", "seed", "cluster")
ATTRIBUTE = "attribute_"  # before an attribute that has a reserved name
LONGEST_SEARCH = 200
# Seldom changed, and then by a server started anew: a minute without asking, then asked by ETag.
FRESH = "public, max-age=60"
HEIGHTS = (16, 480)

Id = Annotated[str, Path(description="The product's id, percent-encoded.")]

routes = APIRouter(tags=["products"])


@routes.get(
    "/v1/products",
    operation_id="products",
    summary="The shop's products",
    response_model=responses.ProductsPage,
    responses=refusals(422),
    openapi_extra={
        "parameters": [
            {
                "name": "attributes",
                "in": "query",
                "description": "Any attribute, or `category`, with a value; repeated, one of the values must fit. "
                f"An attribute named as another parameter takes `{ATTRIBUTE}` before its name.",
                "style": "form",
                "explode": True,
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            }
        ]
    },
)
async def products(
    request: Request,
    studio: Here,
    page: Annotated[int, Query(ge=1, le=1_000_000, description="Which page, from 1.")] = 1,
    size: Annotated[int, Query(ge=1, le=serialize.MOST, description="Products on a page.")] = 24,
    q: Annotated[str, Query(max_length=LONGEST_SEARCH, description="Words that must all occur.")] = "",
    cluster: Annotated[list[int] | None, Query(description="Only these clusters.")] = None,
    sort: Annotated[Literal["id", "random"], Query(description="The order.")] = "id",
    seed: Annotated[int, Query(ge=0, le=2**53, description="Of the random order.")] = 0,
) -> responses.ProductsPage:
    """A page of the products that fit; by id, or in an order drawn at random."""
    where: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name not in RESERVED:
            stripped = name.removeprefix(ATTRIBUTE)
            where.setdefault(stripped if stripped in RESERVED[:-1] else name, []).append(value)
    find = partial(_find, studio, where, q, cluster, seed if sort == "random" else None)
    return await studio.asked(_page, studio.shop, find, page, size)


@routes.get(
    "/v1/products/{id}/photo.jpg",
    operation_id="product_photo",
    summary="A product's photo",
    response_class=Response,
    responses=picture("image/jpeg") | refusals(404, 503),
)
async def product_photo(request: Request, id: Id, studio: Here) -> Response:
    """The photo as the shop holds it, at the shop's frame."""
    product = _known(studio, id)
    tag = f'"{studio.photo_tags[product]}"'
    if is_known(request, tag):
        return _unchanged(tag)
    return _picture(await studio.remembered((product, 0), studio.shop.jpeg, product), "image/jpeg", tag)


@routes.get(
    "/v1/products/{id}/thumbnail.webp",
    operation_id="product_thumbnail",
    summary="A product's thumbnail",
    response_class=Response,
    responses=picture("image/webp") | refusals(404, 422, 503),
)
async def product_thumbnail(
    request: Request,
    id: Id,
    studio: Here,
    height: Annotated[int, Query(ge=HEIGHTS[0], le=HEIGHTS[1], description="Pixels.")] = 120,
) -> Response:
    """The photo made smaller; never larger than it is."""
    product = _known(studio, id)
    height = min(height, studio.shop.frame[0])
    tag = f'"{studio.photo_tags[product]}-{height}"'
    if is_known(request, tag):
        return _unchanged(tag)
    found = await studio.remembered((product, height), _thumbnail, studio.shop, product, height)
    return _picture(found, "image/webp", tag)


@routes.get(
    "/v1/products/{id}",
    operation_id="product",
    summary="One product",
    response_model=responses.ProductWhole,
    responses=refusals(404),
)
async def product(id: Id, studio: Here) -> responses.ProductWhole:
    """The product with its posterior, its code and its place on the map."""
    row = studio.shop.catalogue.row(_known(studio, id))
    return await studio.asked(_whole, studio.shop, row)


def _known(studio: Studio, id: str) -> str:
    """The id in a path, which comes percent-encoded. Raises UnknownProduct."""
    found = unquote(id, errors="replace")
    studio.shop.catalogue.row(found)
    return found


def _find(
    studio: Studio, where: dict[str, Any], q: str, clusters: list[int] | None, seed: int | None
) -> NDArray[np.intp]:
    """The rows of the products that fit, in the order asked for."""
    shop = studio.shop
    fits = shop.matching(where) if where else np.ones(len(shop.catalogue), np.bool_)
    if clusters is not None:
        unknown = [each for each in clusters if not 0 <= each < len(shop.clusters)]
        if unknown:
            raise BadOption(
                f"There is no cluster {unknown[0]}.", remedy=f"Give one from 0 to {len(shop.clusters) - 1}."
            )
        fits = fits & np.isin(shop.assignments, clusters)
    rows = np.flatnonzero(fits)
    if words := q.casefold().split():
        texts = studio.texts
        rows = np.array([row for row in rows if all(word in texts[row] for word in words)], np.intp)
    return rows if seed is None else np.random.default_rng(seed).permutation(rows)


def _page(shop: Shop, find: Any, page: int, size: int) -> responses.ProductsPage:
    rows = find()
    shown = rows[(page - 1) * size : page * size]
    results = [responses.Product(**serialize.product_of(shop, int(row))) for row in shown]
    return responses.ProductsPage(page=page, size=size, total=len(rows), results=results)


def _whole(shop: Shop, row: int) -> responses.ProductWhole:
    held = shop.encodings
    code = held.code[row]
    return responses.ProductWhole(
        **serialize.product_of(shop, row),
        code=code.tolist(),
        mean=held.mean[row].tolist(),
        std=held.std[row].tolist(),
        position=[round(float(each), 4) for each in shop.map.positions[row]],
    )


def _thumbnail(shop: Shop, product: str, height: int) -> bytes:
    photo = Image.fromarray(decode_jpeg(shop.jpeg(product)))
    width = max(1, round(photo.width * height / photo.height))
    small = photo.resize((width, height), Image.Resampling.LANCZOS)
    return to_webp(np.asarray(small))


def _picture(data: bytes, media_type: str, tag: str) -> Response:
    return Response(data, media_type=media_type, headers={"ETag": tag, "Cache-Control": FRESH})


def _unchanged(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag, "Cache-Control": FRESH})
