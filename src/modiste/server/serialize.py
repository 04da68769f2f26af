"""Where a question starts, and what the answers have in common: products and clusters as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption
from modiste.server.schemas import responses
from modiste.server.schemas.requests import (
    FilterCondition,
    QuerySource,
    RecommendRequest,
    SimilarRequest,
)
from modiste.shop.cluster_transfer import parse_recommend_method
from modiste.shop.products import product_title
from modiste.shop.query import QueryEngine
from modiste.shop.results import Match
from modiste.shop.shop import Shop
from modiste.shop.similarity_words import Typicality

MAX_RESULTS = 100  # products in one answer, or on one page


def query_code(shop: QueryEngine, asked: QuerySource) -> NDArray[Any]:
    """The code to start from, not yet checked. Raises BadOption, UnknownProduct."""
    if (asked.code is None) == (asked.product is None):
        given = "Neither code nor product was" if asked.code is None else "Both code and product were"
        raise BadOption(f"{given} given.", remedy="Give exactly one of code and product.")
    return shop.code_of(asked.product) if asked.product is not None else np.array(asked.code, np.float64)


def to_filter(where: Mapping[str, list[Any] | FilterCondition | dict[str, Any]]) -> dict[str, Any]:
    """The conditions as Shop takes them."""
    return {
        name: each.model_dump(by_alias=True, exclude_none=True) if isinstance(each, FilterCondition) else each
        for name, each in where.items()
    }


def product_fields(shop: Shop, row: int) -> dict[str, Any]:
    """The product in a row, as the API shows it."""
    held = shop.catalogue
    return _product_fields(
        held.ids[row], held.categories[row], int(shop.assignments[row]), held.attributes(row)
    )


def serialize_match(
    shop: QueryEngine, match: Match, asked: SimilarRequest | RecommendRequest
) -> responses.Match:
    """A match, as the API shows it."""
    method: Any = (
        asked.method if isinstance(asked, SimilarRequest) else parse_recommend_method(asked.method)[1]
    )
    metric: Any = asked.metric
    closeness = shop.closeness(method, match.score, metric, tau=asked.tau)
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


def serialize_cluster(shop: QueryEngine, number: int) -> responses.ClusterRef:
    """A cluster by its number."""
    return responses.ClusterRef(
        number=number, label=shop.clusters.labels[number], category=shop.category_of_cluster[number]
    )


def serialize_typicality(shop: QueryEngine, code: NDArray[np.float32]) -> responses.Typicality:
    """How typical a code is of the shop."""
    return _typicality_model(shop.typicality(code))


def serialize_location(
    shop: QueryEngine, code: NDArray[np.float32]
) -> tuple[responses.Typicality, list[float]]:
    """How typical a code is, and where it lies on the map, 0 to 1, to four decimals."""
    typicality, position = shop.locate(code)
    return _typicality_model(typicality), [round(float(each), 4) for each in position]


def _typicality_model(found: Typicality) -> responses.Typicality:
    return responses.Typicality(share=found.share, word=found.word, nearest=found.nearest)
