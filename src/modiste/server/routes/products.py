"""Product routes: pages of products, one product, its photo and thumbnail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
from modiste.server.dependencies import CurrentShop
from modiste.server.http_cache import etag_matches
from modiste.server.schemas import responses
from modiste.server.schemas.openapi import binary_response, error_responses
from modiste.server.served_shop import ServedShop
from modiste.shop.shop import Shop

RESERVED_PARAMETERS = ("page", "size", "q", "sort", "seed", "cluster")
ATTRIBUTE_PREFIX = "attribute_"  # of an attribute with a reserved name
MAX_SEARCH_CHARS = 200
# Photos seldom change: fresh for a minute, then revalidated by ETag.
PHOTO_CACHE_CONTROL = "public, max-age=60"
ETAG_LENGTH = 20  # characters of the hash
THUMBNAIL_HEIGHTS_PX = (16, 480)

ProductId = Annotated[str, Path(description="The product's id, percent-encoded.")]

router = APIRouter(tags=["products"])


@router.get(
    "/v1/products",
    summary="The shop's products",
    responses=error_responses(422),
    openapi_extra={
        "parameters": [
            {
                "name": "attributes",
                "in": "query",
                "description": "Any attribute, or `category`, with a value; repeated, one of the values must fit. "
                f"An attribute named as another parameter takes `{ATTRIBUTE_PREFIX}` before its name.",
                "style": "form",
                "explode": True,
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            }
        ]
    },
)
async def products(
    request: Request,
    served: CurrentShop,
    page: Annotated[int, Query(ge=1, le=1_000_000, description="Which page, from 1.")] = 1,
    size: Annotated[int, Query(ge=1, le=serialize.MAX_RESULTS, description="Products on a page.")] = 24,
    q: Annotated[str, Query(max_length=MAX_SEARCH_CHARS, description="Words that must all occur.")] = "",
    cluster: Annotated[list[int] | None, Query(description="Only these clusters.")] = None,
    sort: Annotated[Literal["id", "random"], Query(description="The order.")] = "id",
    seed: Annotated[int, Query(ge=0, le=2**53, description="Of the random order.")] = 0,
) -> responses.ProductsPage:
    """Return a page of the matching products, by id or in random order."""
    where: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name not in RESERVED_PARAMETERS:
            stripped = name.removeprefix(ATTRIBUTE_PREFIX)
            where.setdefault(stripped if stripped in RESERVED_PARAMETERS[:-1] else name, []).append(value)
    find = partial(_find_rows, served, where, q, cluster, seed if sort == "random" else None)
    return await served.run_query(_products_page, served.shop, find, page, size)


@router.get(
    "/v1/products/{id}/photo.jpg",
    summary="A product's photo",
    response_class=Response,
    responses=binary_response("image/jpeg") | error_responses(404, 503),
)
async def product_photo(request: Request, id: ProductId, served: CurrentShop) -> Response:
    """Return the product's photo at the size of the shop's photos."""
    product = _require_product(served, id)
    tag = f'"{served.photo_hashes[product][:ETAG_LENGTH]}"'
    return await _image_response(
        request, "image/jpeg", tag, lambda: served.cached_photo((product, 0), served.shop.jpeg, product)
    )


@router.get(
    "/v1/products/{id}/thumbnail.webp",
    summary="A product's thumbnail",
    response_class=Response,
    responses=binary_response("image/webp") | error_responses(404, 422, 503),
)
async def product_thumbnail(
    request: Request,
    id: ProductId,
    served: CurrentShop,
    height: Annotated[int, Query(ge=THUMBNAIL_HEIGHTS_PX[0], le=THUMBNAIL_HEIGHTS_PX[1], description="Pixels.")] = 120,
) -> Response:
    """Return the photo reduced to a height; it is never enlarged."""
    product = _require_product(served, id)
    height = min(height, served.shop.frame[0])
    tag = f'"{served.photo_hashes[product][:ETAG_LENGTH]}-{height}"'
    return await _image_response(
        request,
        "image/webp",
        tag,
        lambda: served.cached_photo((product, height), _thumbnail, served.shop, product, height),
    )


@router.get("/v1/products/{id}", summary="One product", responses=error_responses(404))
async def product(id: ProductId, served: CurrentShop) -> responses.ProductDetail:
    """Return a product with its posterior, its code and its position on the map."""
    row = served.shop.catalogue.row(_require_product(served, id))
    return await served.run_query(_product_detail, served, row)


def _require_product(served: ServedShop, id: str) -> str:
    """Return the id in a path, which is percent-encoded. Raises UnknownProduct."""
    product_id = unquote(id, errors="replace")
    served.shop.catalogue.row(product_id)
    return product_id


def _find_rows(
    served: ServedShop, where: dict[str, Any], q: str, clusters: list[int] | None, seed: int | None
) -> NDArray[np.intp]:
    """Return the rows of the matching products, in the requested order."""
    shop = served.shop
    matches = shop.filter_mask(where) if where else np.ones(len(shop.catalogue), np.bool_)
    if clusters is not None:
        unknown = [each for each in clusters if not 0 <= each < len(shop.clusters)]
        if unknown:
            raise BadOption(
                f"There is no cluster {unknown[0]}.", remedy=f"Choose one from 0 to {len(shop.clusters) - 1}."
            )
        matches = matches & np.isin(shop.assignments, clusters)
    rows = np.flatnonzero(matches)
    if words := q.casefold().split():
        texts = served.search_texts
        rows = np.array([row for row in rows if all(word in texts[row] for word in words)], np.intp)
    return rows if seed is None else np.random.default_rng(seed).permutation(rows)


def _products_page(shop: Shop, find: Any, page: int, size: int) -> responses.ProductsPage:
    rows = find()
    page_rows = rows[(page - 1) * size : page * size]
    results = [responses.Product(**serialize.product_fields(shop, int(row))) for row in page_rows]
    return responses.ProductsPage(page=page, size=size, total=len(rows), results=results)


def _product_detail(served: ServedShop, row: int) -> responses.ProductDetail:
    shop = served.shop
    encodings = shop.encodings
    code = encodings.code[row]
    return responses.ProductDetail(
        **serialize.product_fields(shop, row),
        code=code.tolist(),
        mean=encodings.mean[row].tolist(),
        std=encodings.std[row].tolist(),
        position=[round(float(each), 4) for each in shop.map.positions[row]],
        photo_hash=served.photo_hashes[shop.catalogue.ids[row]],
    )


def _thumbnail(shop: Shop, product: str, height: int) -> bytes:
    photo = Image.fromarray(decode_jpeg(shop.jpeg(product)))
    width = max(1, round(photo.width * height / photo.height))
    small = photo.resize((width, height), Image.Resampling.LANCZOS)
    return to_webp(np.asarray(small))


async def _image_response(
    request: Request, media_type: str, tag: str, load: Callable[[], Awaitable[bytes]]
) -> Response:
    headers = {"ETag": tag, "Cache-Control": PHOTO_CACHE_CONTROL}
    if etag_matches(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(await load(), media_type=media_type, headers=headers)
