"""Search routes: similar products, and recommendations."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from modiste.errors import BadCount
from modiste.server import serialize
from modiste.server.dependencies import Queries
from modiste.server.schemas import responses
from modiste.server.schemas.openapi import NO_STORE_HEADERS, error_responses
from modiste.server.schemas.requests import ConditionRequest, QuerySource, RecommendRequest, SimilarRequest
from modiste.shop.query import QueryEngine

router = APIRouter(tags=["search"])


@router.post(
    "/v1/similar",
    summary="Similar products",
    response_model=responses.SimilarResponse,
    responses=error_responses(404, 413, 422, 503),
)
async def similar(request: SimilarRequest, queries: Queries) -> Response:
    """Return the products nearest to a code or a product, best first."""
    return _json_response(await queries.run_on_engine(partial(_similar_response, request)))


@router.post(
    "/v1/recommend",
    summary="Recommendations from the other categories",
    response_model=responses.RecommendResponse,
    responses=error_responses(404, 413, 422),
)
async def recommend(request: RecommendRequest, queries: Queries) -> Response:
    """Return products of each other category that go with a code or a product."""
    return _json_response(await queries.run_on_engine(partial(_recommend_response, request)))


@router.post(
    "/v1/condition",
    summary="A code near real products",
    response_model=responses.ConditionResponse,
    responses=error_responses(413, 422),
)
async def condition(request: ConditionRequest, queries: Queries) -> Response:
    """Let the other latents of a code follow the fixed ones, so that the design stays near real products."""
    return _json_response(await queries.run_on_engine(partial(_condition_response, request)))


def _condition_response(request: ConditionRequest, engine: QueryEngine) -> responses.ConditionResponse:
    code = serialize.check_bounds(engine.context, request.code)
    moved = engine.condition(code, request.fixed, directions=request.directions or None)
    return responses.ConditionResponse(code=moved.tolist())


def _similar_response(request: SimilarRequest, engine: QueryEngine) -> responses.SimilarResponse:
    code = serialize.query_code(engine, request)
    own = () if request.product is None else (request.product,)
    matches: Any = engine.similar(
        code,
        _limit_k(engine, request.k),
        request.method,
        request.scope,
        metric=request.metric,
        tau=request.tau,
        exclude=(*request.exclude, *own),
        where=serialize.to_filter(request.where) or None,
    )
    typicality, position = serialize.serialize_location(engine, code)
    return responses.SimilarResponse(
        query=_resolved_query(engine, request, code),
        method=request.method,
        scope=request.scope,
        results=[serialize.serialize_match(engine, match, request) for match in matches],
        typicality=typicality,
        position=position,
    )


def _recommend_response(request: RecommendRequest, engine: QueryEngine) -> responses.RecommendResponse:
    code = serialize.query_code(engine, request)
    own = () if request.product is None else (request.product,)
    recommendations: Any = engine.recommend(
        code,
        _limit_k(engine, request.k),
        request.method,
        metric=request.metric,
        tau=request.tau,
        by=request.by,
        exclude=(*request.exclude, *own),
        where=serialize.to_filter(request.where) or None,
    )
    return responses.RecommendResponse(
        query=_resolved_query(engine, request, code),
        recommendations=[
            responses.Recommendation(
                label=each.label,
                category=each.category,
                cluster=each.cluster,
                results=[serialize.serialize_match(engine, match, request) for match in each.matches],
            )
            for each in recommendations
        ],
    )


def _resolved_query(engine: QueryEngine, source: QuerySource, code: NDArray[np.float32]) -> responses.ResolvedQuery:
    cluster = serialize.serialize_cluster(engine.context, engine.cluster_of(code))
    return responses.ResolvedQuery(code=code.tolist(), cluster=cluster, product=source.product)


def _limit_k(engine: QueryEngine, k: int) -> int:
    """Return k, or the number of products of a smaller shop. Raises BadCount."""
    if not 1 <= k <= serialize.MAX_RESULTS:
        raise BadCount(f"k is {k}.", remedy=f"Give a k from 1 to {serialize.MAX_RESULTS}.")
    return min(k, engine.context.product_count)


def _json_response(answer: responses.BaseModel) -> Response:
    """Return a body without FastAPI's second validation of it."""
    return Response(answer.model_dump_json(), media_type="application/json", headers=NO_STORE_HEADERS)
