"""The routes for whoever runs the server: alive, ready, which version, and the counters."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from modiste._version import __version__
from modiste.server import payloads
from modiste.server.dependencies import AtFront
from modiste.server.middleware.body_limit import JSON_BYTES
from modiste.server.openapi import NO_STORE, picture, refusals
from modiste.server.problems import Refusal
from modiste.server.schemas import responses
from modiste.server.settings import Settings
from modiste.shop.shop import CODE_REACH

routes = APIRouter(tags=["operations"])


@routes.get("/livez", operation_id="livez", summary="Is it alive?", response_model=responses.Status)
async def livez() -> Response:
    """Whether the server runs: start it anew if not."""
    return JSONResponse({"status": "alive"}, headers=NO_STORE)


@routes.get(
    "/readyz",
    operation_id="readyz",
    summary="Is it ready?",
    response_model=responses.Served,
    responses=refusals(503),
)
async def readyz(front: AtFront) -> Response:
    """Whether a model, its encodings and index are loaded that agree by their hashes, and a frame was drawn."""
    if not front.ready:
        raise Refusal(
            503, "not_ready", "The server is starting or stopping.", remedy="Ask again in a second."
        )
    studio = front.now
    said = {"version": studio.version, "model": studio.shop.model.model_id, "catalogue": studio.catalogue}
    return JSONResponse({"status": "ready"} | said, headers=NO_STORE)


@routes.get("/version", operation_id="version", summary="Which version?", response_model=responses.Version)
async def version(front: AtFront) -> responses.Version:
    """What is served: the program, the model, how many products; and the limits of what may be asked."""
    shop = front.now.shop
    held: Settings = front.settings
    names = responses.ServerLimits.model_fields
    told = {name: value for name, value in held.model_dump().items() if name in names}
    limits = responses.ServerLimits(
        **payloads.limits().model_dump(), body_bytes=JSON_BYTES, code_reach=CODE_REACH, **told
    )
    return responses.Version(
        version=__version__, model=shop.model.model_id, products=len(shop.catalogue), limits=limits
    )


@routes.get(
    "/metrics",
    operation_id="metrics",
    summary="The counters",
    response_class=Response,
    responses=picture("text/plain"),
)
async def metrics(front: AtFront) -> Response:
    """Requests, frames and memory, in Prometheus's text format."""
    return Response(front.metrics.text(), headers=NO_STORE | {"Content-Type": CONTENT_TYPE_LATEST})
