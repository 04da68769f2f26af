"""The routes for whoever runs the server: alive, ready, which version, and the counters."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from modiste import __version__
from modiste.shop.shop import CODE_REACH
from modiste.studio import overview, shapes
from modiste.studio.describing import NO_STORE, picture, refusals
from modiste.studio.here import AtFront
from modiste.studio.problems import Refusal
from modiste.studio.security import JSON_BYTES
from modiste.studio.settings import Settings

routes = APIRouter(tags=["operations"])


@routes.get("/livez", operation_id="livez", summary="Is it alive?", response_model=shapes.Status)
async def livez() -> Response:
    """Whether the server runs: start it anew if not."""
    return JSONResponse({"status": "alive"}, headers=NO_STORE)


@routes.get(
    "/readyz",
    operation_id="readyz",
    summary="Is it ready?",
    response_model=shapes.Served,
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


@routes.get("/version", operation_id="version", summary="Which version?", response_model=shapes.Version)
async def version(front: AtFront) -> shapes.Version:
    """What is served: the program, the model, how many products; and the limits of what may be asked."""
    shop = front.now.shop
    held: Settings = front.settings
    names = shapes.ServerLimits.model_fields
    told = {name: value for name, value in held.model_dump().items() if name in names}
    limits = shapes.ServerLimits(
        **overview.limits().model_dump(), body_bytes=JSON_BYTES, code_reach=CODE_REACH, **told
    )
    return shapes.Version(
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
