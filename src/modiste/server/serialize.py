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
    Condition,
    RecommendAsked,
    SimilarAsked,
    Start,
)
from modiste.shop.cluster_transfer import read_method
from modiste.shop.products import title_of
from modiste.shop.query import Counsel
from modiste.shop.results import Match
from modiste.shop.shop import Shop
from modiste.shop.similarity_words import Typicality

MOST = 100  # products in one answer, or on one page


def code_of(shop: Counsel, asked: Start) -> NDArray[Any]:
    """The code to start from, not yet checked. Raises BadOption, UnknownProduct."""
    if (asked.code is None) == (asked.product is None):
        given = "Neither code nor product was" if asked.code is None else "Both code and product were"
        raise BadOption(f"{given} given.", remedy="Give exactly one of code and product.")
    return shop.code_of(asked.product) if asked.product is not None else np.array(asked.code, np.float64)


def where_of(where: Mapping[str, list[Any] | Condition | dict[str, Any]]) -> dict[str, Any]:
    """The conditions as Shop takes them."""
    return {
        name: each.model_dump(by_alias=True, exclude_none=True) if isinstance(each, Condition) else each
        for name, each in where.items()
    }


def product_of(shop: Shop, row: int) -> dict[str, Any]:
    """The product in a row, as the API shows it."""
    held = shop.catalogue
    return _product(held.ids[row], held.categories[row], int(shop.assignments[row]), held.attributes(row))


def match_of(shop: Counsel, match: Match, asked: SimilarAsked | RecommendAsked) -> responses.Match:
    """A match, as the API shows it."""
    method: Any = asked.method if isinstance(asked, SimilarAsked) else read_method(asked.method)[1]
    metric: Any = asked.metric
    closeness = shop.closeness(method, match.score, metric, tau=asked.tau)
    product = _product(match.id, match.category, match.cluster, match.attributes)
    return responses.Match(**product, score=match.score, closeness=closeness)


def _product(id_: str, category: str, cluster: int, attributes: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/products/{quote(id_, safe='')}"
    return {
        "id": id_,
        "title": title_of(id_, attributes),
        "category": category,
        "cluster": cluster,
        "attributes": attributes,
        "photo": f"{path}/photo.jpg",
        "thumbnail": f"{path}/thumbnail.webp",
    }


def cluster_of(shop: Counsel, number: int) -> responses.ClusterName:
    """A cluster by its number."""
    return responses.ClusterName(
        number=number, label=shop.clusters.labels[number], category=shop.category_of_cluster[number]
    )


def typicality_of(shop: Counsel, code: NDArray[np.float32]) -> responses.TypicalityFound:
    """How typical a code is of the shop."""
    return _typicality(shop.typicality(code))


def standing_of(shop: Counsel, code: NDArray[np.float32]) -> tuple[responses.TypicalityFound, list[float]]:
    """How typical a code is, and where it lies on the map, 0 to 1, to four decimals."""
    typicality, position = shop.standing(code)
    return _typicality(typicality), [round(float(each), 4) for each in position]


def _typicality(found: Typicality) -> responses.TypicalityFound:
    return responses.TypicalityFound(share=found.share, word=found.word, nearest=found.nearest)
