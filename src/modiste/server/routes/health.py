"""Operations routes: liveness, readiness, version and metrics."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from modiste._version import __version__
from modiste.server import payloads
from modiste.server.dependencies import Versions
from modiste.server.middleware.body_limit import MAX_JSON_BYTES
from modiste.server.problems import ProblemException
from modiste.server.schemas import responses
from modiste.server.schemas.openapi import NO_STORE_HEADERS, error_responses, text_response
from modiste.server.settings import Settings
from modiste.shop.shop import CODE_RANGE_FACTOR

router = APIRouter(tags=["operations"])


@router.get("/livez", summary="Liveness", response_model=responses.LiveResponse)
async def livez() -> Response:
    """Return 200 as long as the server runs; restart it otherwise."""
    return JSONResponse({"status": "alive"}, headers=NO_STORE_HEADERS)


@router.get("/readyz", summary="Readiness", response_model=responses.ReadyResponse, responses=error_responses(503))
async def readyz(versions: Versions) -> Response:
    """Return 200 once model, encodings and index are loaded and checked against each other, and a design is drawn."""
    if not versions.ready:
        raise ProblemException(503, "not_ready", "The server is starting or stopping.", remedy="Retry in a second.")
    served = versions.current
    state = {"shop_version": served.version, "model": served.shop.model.model_id, "catalogue": served.catalogue_hash}
    return JSONResponse({"status": "ready"} | state, headers=NO_STORE_HEADERS)


@router.get("/version", summary="Versions and limits")
async def version(versions: Versions) -> responses.VersionInfo:
    """Return the versions of Modiste and the model, the number of products, and the limits of requests."""
    shop = versions.current.shop
    settings: Settings = versions.settings
    names = responses.ServerLimits.model_fields
    settings_limits = {name: value for name, value in settings.model_dump().items() if name in names}
    limits = responses.ServerLimits(
        **payloads.request_limits().model_dump(),
        body_bytes=MAX_JSON_BYTES,
        code_reach=CODE_RANGE_FACTOR,
        **settings_limits,
    )
    return responses.VersionInfo(
        modiste_version=__version__, model=shop.model.model_id, products=len(shop.catalogue), limits=limits
    )


@router.get("/metrics", summary="Metrics", response_class=Response, responses=text_response("text/plain"))
async def metrics(request: Request) -> Response:
    """Return requests, designs and memory in Prometheus's text format."""
    return Response(
        request.app.state.metrics.to_prometheus(), headers=NO_STORE_HEADERS | {"Content-Type": CONTENT_TYPE_LATEST}
    )
