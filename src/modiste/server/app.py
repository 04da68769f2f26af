"""The application: every route, and around them counting, refusing and guarding."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from modiste._version import __version__
from modiste.server import payloads
from modiste.server.dependencies import VERSION
from modiste.server.http_cache import LEAST_ZIPPED
from modiste.server.middleware.access_log import Timed
from modiste.server.middleware.body_limit import BodyLimit
from modiste.server.middleware.rate_limit import FREE, Limited
from modiste.server.middleware.security_headers import Shield
from modiste.server.middleware.timeout import Guard
from modiste.server.openapi import refusals
from modiste.server.problems import add_handlers
from modiste.server.refresher import Keeper
from modiste.server.routes import admin, encode, health, images, pages, products, search
from modiste.server.routes import shop as overview
from modiste.server.schemas.responses import Problem
from modiste.server.settings import Settings
from modiste.server.versions import Front, LooksFor
from modiste.shop.shop import Shop

DESCRIPTION = (
    "Draw a design, find the shop's products like it and what goes with it. A design is a code, a list of numbers; "
    "a refusal is `application/problem+json` with a stable `code` and a `remedy`."
)
PARTS = (overview, images, encode, search, products, admin, health, pages)
NO_TELEMETRY: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(shop: Shop, settings: Settings | None = None, looks_for: LooksFor | None = None) -> FastAPI:
    """The application that serves an open shop; `looks_for`, if given, looks for its products first."""
    settings = settings or Settings()
    front = Front(shop, settings, looks_for)
    keeper = Keeper(front)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncGenerator[None]:
        await front.begin()
        # What the first visitors ask for soon is made beside them, without keeping them waiting for it.
        soon = asyncio.create_task(payloads.prepare(front.now))
        _on_hangup(keeper.want)
        yield
        soon.cancel()
        await keeper.end()
        front.close()

    app = _routed(lifespan=life)
    app.state.front, app.state.keeper = front, keeper
    add_handlers(app)
    # The last added is the outermost.
    app.add_middleware(BodyLimit)
    app.add_middleware(GZipMiddleware, minimum_size=LEAST_ZIPPED, compresslevel=5)
    app.add_middleware(Guard, seconds=settings.deadline)
    app.add_middleware(Limited, settings=settings, refused=front.metrics.refused)
    app.add_middleware(Timed, metrics=front.metrics)
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allow_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", VERSION],
            expose_headers=["Retry-After", VERSION],
        )
    app.add_middleware(Shield, allow_embed=settings.allow_embed)
    return app


def _on_hangup(work: Callable[[], None]) -> None:
    """Do some work on SIGHUP, where there is such a signal and this is the main thread."""
    with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, work)


def openapi() -> dict[str, Any]:
    """What OpenAPI says of the application, whatever shop it serves."""
    return _routed().openapi()


def _routed(**options: Any) -> FastAPI:
    app = FastAPI(
        title="Modiste studio",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
        **options,
    )
    for part in PARTS:
        app.include_router(part.routes)

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema = _with_problems(found)
        return app.openapi_schema

    app.openapi = described  # FastAPI's own way to add to it
    return app


def _with_problems(api: dict[str, Any]) -> dict[str, Any]:
    """Refusals in OpenAPI as they are here, instead of FastAPI's own 422, which is never answered."""
    schemas: dict[str, Any] = api["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations_ in api["paths"].items():
        for operation in operations_.values():
            if path not in FREE:
                always = (400, 429, 503) if "requestBody" in operation else (429, 503)
                for status, said in refusals(*always).items():
                    operation["responses"].setdefault(str(status), said)
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    schemas["Problem"] = Problem.model_json_schema()
    api["components"]["schemas"] = dict(sorted(schemas.items()))
    return api
