"""Conversions between the API's models and the shop's: query sources, filters, products, clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCode, BadOption
from modiste.latent.fixed_epsilon import check_code
from modiste.server.schemas import responses
from modiste.server.schemas.requests import FilterCondition, QuerySource, RecommendRequest, SimilarRequest
from modiste.shop.cluster_transfer import parse_recommend_method
from modiste.shop.products import product_title
from modiste.shop.query import QueryEngine, SearchContext
from modiste.shop.results import Match
from modiste.shop.shop import Shop

MAX_RESULTS = 100  # products in one answer, or on one page


def query_code(engine: QueryEngine, source: QuerySource) -> NDArray[np.float32]:
    """Return the code of a query source, `(n,)`, within the shop's bounds.

    Raises:
        BadOption: neither or both of code and product are given.
        UnknownProduct: the shop has no such product.
        BadCode: the code is not one of the shop's, or out of bounds.
    """
    if (source.code is None) == (source.product is None):
        problem = "Neither code nor product is" if source.code is None else "Both code and product are"
        raise BadOption(f"{problem} given.", remedy="Give exactly one of code and product.")
    if source.product is not None:
        return check_bounds(engine.context, engine.backend.code_of(source.product))
    return check_bounds(engine.context, source.code)


def check_bounds(context: SearchContext, code: Any) -> NDArray[np.float32]:
    """Return one code as float32 `(n,)`. Raises BadCode if it is not one of the shop's, or out of bounds."""
    checked, bounds = check_code(code, context.latent_dim), context.code_bounds
    outside = np.flatnonzero((checked < bounds[:, 0]) | (checked > bounds[:, 1]))
    if len(outside):
        latent = int(outside[0])
        low, high = bounds[latent].tolist()
        raise BadCode(
            f"Latent {latent} of the code is {checked[latent]:g}, where the model draws nothing.",
            remedy=f"Give a value from {low:.3g} to {high:.3g}; GET /v1/sliders has the ranges.",
        )
    return checked


def to_filter(where: Mapping[str, list[Any] | FilterCondition | dict[str, Any]]) -> dict[str, Any]:
    """Return the filter in the form that QueryEngine takes."""
    return {
        name: each.model_dump(by_alias=True, exclude_none=True) if isinstance(each, FilterCondition) else each
        for name, each in where.items()
    }


def product_fields(shop: Shop, row: int) -> dict[str, Any]:
    """Return the product in a row as the API shows it."""
    catalogue = shop.catalogue
    return _product_fields(
        catalogue.ids[row], catalogue.categories[row], int(shop.assignments[row]), catalogue.attributes(row)
    )


def serialize_match(engine: QueryEngine, match: Match, request: SimilarRequest | RecommendRequest) -> responses.Match:
    """Return a match as the API shows it."""
    method: Any = request.method if isinstance(request, SimilarRequest) else parse_recommend_method(request.method)[1]
    metric: Any = request.metric
    closeness = engine.closeness(method, match.score, metric, tau=request.tau)
    product = _product_fields(match.id, match.category, match.cluster, match.attributes)
    return responses.Match(**product, score=match.score, closeness=closeness)


def _product_fields(id_: str, category: str, cluster: int, attributes: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/products/{quote(id_, safe='')}"
    return {
        "id": id_,
        "title": product_title(id_, attributes),
        "category": category,
        "cluster": cluster,
        "attributes": attributes,
        "photo": f"{path}/photo.jpg",
        "thumbnail": f"{path}/thumbnail.webp",
    }


def serialize_cluster(context: SearchContext, number: int) -> responses.ClusterRef:
    """Return a cluster as the API shows it."""
    category = context.category_counts.category_of_cluster[number]
    return responses.ClusterRef(number=number, label=context.clusters.labels[number], category=category)


def serialize_location(engine: QueryEngine, code: NDArray[np.float32]) -> tuple[responses.Typicality, list[float]]:
    """Return how typical a code is, and its position on the map, from 0 to 1, to four decimals."""
    typicality, position = engine.locate(code)
    shown = responses.Typicality(share=typicality.share, word=typicality.word, nearest=typicality.nearest)
    return shown, [round(float(each), 4) for each in position]
