"""The routes that answer questions about a design: products like it, and what goes with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from modiste.errors import BadCount
from modiste.shop.counsel import Counsel
from modiste.studio import shapes, starts
from modiste.studio.asked import RecommendAsked, SimilarAsked, Start
from modiste.studio.describing import NO_STORE, refusals
from modiste.studio.frames import check_one
from modiste.studio.here import Here
from modiste.studio.state import Studio

routes = APIRouter(tags=["answers"])


@routes.post(
    "/v1/similar",
    operation_id="similar",
    summary="Products like a design",
    response_model=shapes.Similar,
    responses=refusals(404, 413, 422, 503),
)
async def similar(asked: SimilarAsked, studio: Here) -> Response:
    """The shop's products nearest to a code or a product, best first."""
    return _json(await studio.asked(_similar, studio, asked))


@routes.post(
    "/v1/recommend",
    operation_id="recommend",
    summary="What goes with a design",
    response_model=shapes.Recommended,
    responses=refusals(404, 413, 422),
)
async def recommend(asked: RecommendAsked, studio: Here) -> Response:
    """From each other category, the products nearest to where the design would lie there."""
    return _json(await studio.asked(_recommend, studio, asked))


def _similar(studio: Studio, asked: SimilarAsked) -> shapes.Similar:
    shop = studio.shop
    code = check_one(studio, starts.code_of(shop, asked))
    own = () if asked.product is None else (asked.product,)
    matches: Any = shop.similar(
        code,
        _count(shop, asked.k),
        _any(asked.method),
        _any(asked.scope),
        metric=_any(asked.metric),
        tau=asked.tau,
        exclude=(*asked.exclude, *own),
        where=starts.where_of(asked.where) or None,
    )
    typicality, position = starts.standing_of(shop, code)
    return shapes.Similar(
        query=_query(shop, asked, code),
        method=asked.method,
        scope=asked.scope,
        results=[starts.match_of(shop, match, asked) for match in matches],
        typicality=typicality,
        position=position,
    )


def _recommend(studio: Studio, asked: RecommendAsked) -> shapes.Recommended:
    shop = studio.shop
    code = check_one(studio, starts.code_of(shop, asked))
    own = () if asked.product is None else (asked.product,)
    found: Any = shop.recommend(
        code,
        _count(shop, asked.k),
        _any(asked.method),
        metric=_any(asked.metric),
        tau=asked.tau,
        by=_any(asked.by),
        exclude=(*asked.exclude, *own),
        where=starts.where_of(asked.where) or None,
    )
    return shapes.Recommended(
        query=_query(shop, asked, code),
        recommendations=[
            shapes.GoesWith(
                label=each.label,
                category=each.category,
                cluster=each.cluster,
                results=[starts.match_of(shop, match, asked) for match in each.matches],
            )
            for each in found
        ],
    )


def _query(shop: Counsel, asked: Start, code: NDArray[np.float32]) -> shapes.Query:
    cluster = starts.cluster_of(shop, shop.cluster_of(code))
    return shapes.Query(code=code.tolist(), cluster=cluster, product=asked.product)


def _count(shop: Counsel, k: int) -> int:
    """A shop of few products answers with those that it has. Raises BadCount."""
    if not 1 <= k <= starts.MOST:
        raise BadCount(f"k is {k}.", remedy=f"Give a k from 1 to {starts.MOST}.")
    return min(k, shop.count)


def _json(answer: shapes.BaseModel) -> Response:
    """Written here, since FastAPI would check it all again."""
    return Response(answer.model_dump_json(), media_type="application/json", headers=NO_STORE)


def _any(value: Any) -> Any:
    """A value whose type the request cannot know; Shop checks it."""
    return value
