"""The routes for whoever runs the server: alive, ready, which version, and the counters."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from modiste._version import __version__
from modiste.server import payloads
from modiste.server.dependencies import Versions
from modiste.server.middleware.body_limit import MAX_JSON_BYTES
from modiste.server.openapi import NO_STORE_HEADERS, binary_response, error_responses
from modiste.server.problems import ProblemException
from modiste.server.schemas import responses
from modiste.server.settings import Settings
from modiste.shop.shop import CODE_RANGE_FACTOR

router = APIRouter(tags=["operations"])


@router.get("/livez", operation_id="livez", summary="Is it alive?", response_model=responses.LiveResponse)
async def livez() -> Response:
    """Whether the server runs: start it anew if not."""
    return JSONResponse({"status": "alive"}, headers=NO_STORE_HEADERS)


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Is it ready?",
    response_model=responses.ReadyResponse,
    responses=error_responses(503),
)
async def readyz(front: Versions) -> Response:
    """Whether a model, its encodings and index are loaded that agree by their hashes, and a frame was drawn."""
    if not front.ready:
        raise ProblemException(
            503, "not_ready", "The server is starting or stopping.", remedy="Ask again in a second."
        )
    studio = front.current
    said = {
        "shop_version": studio.version,
        "model": studio.shop.model.model_id,
        "catalogue": studio.catalogue_hash,
    }
    return JSONResponse({"status": "ready"} | said, headers=NO_STORE_HEADERS)


@router.get(
    "/version", operation_id="version", summary="Which version?", response_model=responses.VersionInfo
)
async def version(front: Versions) -> responses.VersionInfo:
    """What is served: the program, the model, how many products; and the limits of what may be asked."""
    shop = front.current.shop
    held: Settings = front.settings
    names = responses.ServerLimits.model_fields
    told = {name: value for name, value in held.model_dump().items() if name in names}
    limits = responses.ServerLimits(
        **payloads.request_limits().model_dump(),
        body_bytes=MAX_JSON_BYTES,
        code_reach=CODE_RANGE_FACTOR,
        **told,
    )
    return responses.VersionInfo(
        modiste_version=__version__, model=shop.model.model_id, products=len(shop.catalogue), limits=limits
    )


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="The counters",
    response_class=Response,
    responses=binary_response("text/plain"),
)
async def metrics(request: Request) -> Response:
    """Requests, frames and memory, in Prometheus's text format."""
    return Response(
        request.app.state.metrics.to_prometheus(),
        headers=NO_STORE_HEADERS | {"Content-Type": CONTENT_TYPE_LATEST},
    )
