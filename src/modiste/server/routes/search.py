"""The routes that answer questions about a design: products like it, and what goes with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from modiste.errors import BadCount
from modiste.server import serialize
from modiste.server.dependencies import Here
from modiste.server.openapi import NO_STORE, refusals
from modiste.server.routes.images import check_one
from modiste.server.schemas import responses
from modiste.server.schemas.requests import RecommendAsked, SimilarAsked, Start
from modiste.server.served_shop import Studio
from modiste.shop.query import Counsel

routes = APIRouter(tags=["answers"])


@routes.post(
    "/v1/similar",
    operation_id="similar",
    summary="Products like a design",
    response_model=responses.Similar,
    responses=refusals(404, 413, 422, 503),
)
async def similar(asked: SimilarAsked, studio: Here) -> Response:
    """The shop's products nearest to a code or a product, best first."""
    return _json(await studio.asked(_similar, studio, asked))


@routes.post(
    "/v1/recommend",
    operation_id="recommend",
    summary="What goes with a design",
    response_model=responses.Recommended,
    responses=refusals(404, 413, 422),
)
async def recommend(asked: RecommendAsked, studio: Here) -> Response:
    """From each other category, the products nearest to where the design would lie there."""
    return _json(await studio.asked(_recommend, studio, asked))


def _similar(studio: Studio, asked: SimilarAsked) -> responses.Similar:
    shop = studio.shop
    code = check_one(studio, serialize.code_of(shop, asked))
    own = () if asked.product is None else (asked.product,)
    matches: Any = shop.similar(
        code,
        _count(shop, asked.k),
        _any(asked.method),
        _any(asked.scope),
        metric=_any(asked.metric),
        tau=asked.tau,
        exclude=(*asked.exclude, *own),
        where=serialize.where_of(asked.where) or None,
    )
    typicality, position = serialize.standing_of(shop, code)
    return responses.Similar(
        query=_query(shop, asked, code),
        method=asked.method,
        scope=asked.scope,
        results=[serialize.match_of(shop, match, asked) for match in matches],
        typicality=typicality,
        position=position,
    )


def _recommend(studio: Studio, asked: RecommendAsked) -> responses.Recommended:
    shop = studio.shop
    code = check_one(studio, serialize.code_of(shop, asked))
    own = () if asked.product is None else (asked.product,)
    found: Any = shop.recommend(
        code,
        _count(shop, asked.k),
        _any(asked.method),
        metric=_any(asked.metric),
        tau=asked.tau,
        by=_any(asked.by),
        exclude=(*asked.exclude, *own),
        where=serialize.where_of(asked.where) or None,
    )
    return responses.Recommended(
        query=_query(shop, asked, code),
        recommendations=[
            responses.GoesWith(
                label=each.label,
                category=each.category,
                cluster=each.cluster,
                results=[serialize.match_of(shop, match, asked) for match in each.matches],
            )
            for each in found
        ],
    )


def _query(shop: Counsel, asked: Start, code: NDArray[np.float32]) -> responses.Query:
    cluster = serialize.cluster_of(shop, shop.cluster_of(code))
    return responses.Query(code=code.tolist(), cluster=cluster, product=asked.product)


def _count(shop: Counsel, k: int) -> int:
    """A shop of few products answers with those that it has. Raises BadCount."""
    if not 1 <= k <= serialize.MOST:
        raise BadCount(f"k is {k}.", remedy=f"Give a k from 1 to {serialize.MOST}.")
    return min(k, shop.count)


def _json(answer: responses.BaseModel) -> Response:
    """Written here, since FastAPI would check it all again."""
    return Response(answer.model_dump_json(), media_type="application/json", headers=NO_STORE)


def _any(value: Any) -> Any:
    """A value whose type the request cannot know; Shop checks it."""
    return value
