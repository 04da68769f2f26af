"""The routes that answer questions about a design: products like it, and what goes with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from modiste.errors import BadCount
from modiste.server import serialize
from modiste.server.dependencies import CurrentShop
from modiste.server.openapi import NO_STORE_HEADERS, error_responses
from modiste.server.routes.images import check_code_bounds
from modiste.server.schemas import responses
from modiste.server.schemas.requests import QuerySource, RecommendRequest, SimilarRequest
from modiste.server.served_shop import ServedShop
from modiste.shop.query import QueryEngine

router = APIRouter(tags=["answers"])


@router.post(
    "/v1/similar",
    operation_id="similar",
    summary="Products like a design",
    response_model=responses.SimilarResponse,
    responses=error_responses(404, 413, 422, 503),
)
async def similar(asked: SimilarRequest, studio: CurrentShop) -> Response:
    """The shop's products nearest to a code or a product, best first."""
    return _json_response(await studio.run_query(_similar_response, studio, asked))


@router.post(
    "/v1/recommend",
    operation_id="recommend",
    summary="What goes with a design",
    response_model=responses.RecommendResponse,
    responses=error_responses(404, 413, 422),
)
async def recommend(asked: RecommendRequest, studio: CurrentShop) -> Response:
    """From each other category, the products nearest to where the design would lie there."""
    return _json_response(await studio.run_query(_recommend_response, studio, asked))


def _similar_response(studio: ServedShop, asked: SimilarRequest) -> responses.SimilarResponse:
    shop = studio.shop
    code = check_code_bounds(studio, serialize.query_code(shop, asked))
    own = () if asked.product is None else (asked.product,)
    matches: Any = shop.similar(
        code,
        _limit_k(shop, asked.k),
        _any(asked.method),
        _any(asked.scope),
        metric=_any(asked.metric),
        tau=asked.tau,
        exclude=(*asked.exclude, *own),
        where=serialize.to_filter(asked.where) or None,
    )
    typicality, position = serialize.serialize_location(shop, code)
    return responses.SimilarResponse(
        query=_resolved_query(shop, asked, code),
        method=asked.method,
        scope=asked.scope,
        results=[serialize.serialize_match(shop, match, asked) for match in matches],
        typicality=typicality,
        position=position,
    )


def _recommend_response(studio: ServedShop, asked: RecommendRequest) -> responses.RecommendResponse:
    shop = studio.shop
    code = check_code_bounds(studio, serialize.query_code(shop, asked))
    own = () if asked.product is None else (asked.product,)
    found: Any = shop.recommend(
        code,
        _limit_k(shop, asked.k),
        _any(asked.method),
        metric=_any(asked.metric),
        tau=asked.tau,
        by=_any(asked.by),
        exclude=(*asked.exclude, *own),
        where=serialize.to_filter(asked.where) or None,
    )
    return responses.RecommendResponse(
        query=_resolved_query(shop, asked, code),
        recommendations=[
            responses.Recommendation(
                label=each.label,
                category=each.category,
                cluster=each.cluster,
                results=[serialize.serialize_match(shop, match, asked) for match in each.matches],
            )
            for each in found
        ],
    )


def _resolved_query(
    shop: QueryEngine, asked: QuerySource, code: NDArray[np.float32]
) -> responses.ResolvedQuery:
    cluster = serialize.serialize_cluster(shop, shop.cluster_of(code))
    return responses.ResolvedQuery(code=code.tolist(), cluster=cluster, product=asked.product)


def _limit_k(shop: QueryEngine, k: int) -> int:
    """A shop of few products answers with those that it has. Raises BadCount."""
    if not 1 <= k <= serialize.MAX_RESULTS:
        raise BadCount(f"k is {k}.", remedy=f"Give a k from 1 to {serialize.MAX_RESULTS}.")
    return min(k, shop.count)


def _json_response(answer: responses.BaseModel) -> Response:
    """Written here, since FastAPI would check it all again."""
    return Response(answer.model_dump_json(), media_type="application/json", headers=NO_STORE_HEADERS)


def _any(value: Any) -> Any:
    """A value whose type the request cannot know; Shop checks it."""
    return value
