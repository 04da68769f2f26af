"""The routes for whoever runs the server: alive, ready, which version, and the counters."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from modiste import __version__
from modiste.studio import shapes
from modiste.studio.describing import NO_STORE, picture, refusals
from modiste.studio.problems import Refusal
from modiste.studio.state import Here

routes = APIRouter(tags=["operations"])


@routes.get("/livez", operation_id="livez", summary="Is it alive?", response_model=shapes.Status)
async def livez() -> Response:
    """Whether the server runs: start it anew if not."""
    return JSONResponse({"status": "alive"}, headers=NO_STORE)


@routes.get(
    "/readyz",
    operation_id="readyz",
    summary="Is it ready?",
    response_model=shapes.Status,
    responses=refusals(503),
)
async def readyz(studio: Here) -> Response:
    """Whether the model and the catalogue are loaded: send no visitors if not."""
    if not studio.ready:
        raise Refusal(
            503, "not_ready", "The server is starting or stopping.", remedy="Ask again in a second."
        )
    return JSONResponse({"status": "ready"}, headers=NO_STORE)


@routes.get("/version", operation_id="version", summary="Which version?", response_model=shapes.Version)
async def version(studio: Here) -> shapes.Version:
    """What is served: the program, the model, how many products."""
    shop = studio.shop
    return shapes.Version(version=__version__, model=shop.model.model_id, products=len(shop.catalogue))


@routes.get(
    "/metrics",
    operation_id="metrics",
    summary="The counters",
    response_class=Response,
    responses=picture("text/plain"),
)
async def metrics(studio: Here) -> Response:
    """Requests, frames and memory, in Prometheus's text format."""
    return Response(studio.metrics.text(), headers=NO_STORE | {"Content-Type": CONTENT_TYPE_LATEST})
