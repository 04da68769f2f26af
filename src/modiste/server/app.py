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
from modiste.pipeline.update import pending_step
from modiste.server import payloads
from modiste.server.dependencies import VERSION_HEADER
from modiste.server.http_cache import MIN_GZIP_BYTES
from modiste.server.middleware.access_log import AccessLogMiddleware
from modiste.server.middleware.body_limit import BodyLimitMiddleware
from modiste.server.middleware.rate_limit import UNLIMITED_PATHS, RateLimitMiddleware
from modiste.server.middleware.security_headers import SecurityHeadersMiddleware
from modiste.server.middleware.timeout import TimeoutMiddleware
from modiste.server.openapi import error_responses
from modiste.server.problems import add_exception_handlers
from modiste.server.refresher import Refresher
from modiste.server.routes import admin, encode, health, images, pages, products, search
from modiste.server.routes import shop as overview
from modiste.server.schemas.responses import Problem
from modiste.server.settings import Settings
from modiste.server.versions import BackendFactory, VersionManager
from modiste.shop.shop import Shop

DESCRIPTION = (
    "Draw a design, find the shop's products like it and what goes with it. A design is a code, a list of numbers; "
    "a refusal is `application/problem+json` with a stable `code` and a `remedy`."
)
ROUTE_MODULES = (overview, images, encode, search, products, admin, health, pages)
NO_TELEMETRY: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(
    shop: Shop, settings: Settings | None = None, backend_factory: BackendFactory | None = None
) -> FastAPI:
    """The application that serves an open shop; `looks_for`, if given, looks for its products first."""
    settings = settings or Settings()
    front = VersionManager(shop, settings, backend_factory)
    keeper = Refresher(front)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncGenerator[None]:
        await front.start()
        # What the first visitors ask for soon is made beside them, without keeping them waiting for it.
        soon = asyncio.create_task(payloads.build_payloads(front.current))
        if settings.admin_key and await asyncio.to_thread(pending_step, front.current.shop) is not None:
            keeper.request_refresh()  # a server that was stopped during a change left the rest to this one
        _on_sighup(keeper.request_refresh)
        yield
        soon.cancel()
        await keeper.stop()
        front.close()

    app = _app_with_routes(lifespan=life)
    app.state.front, app.state.keeper = front, keeper
    app.state.query_runner, app.state.metrics = front.get, front.metrics
    add_exception_handlers(app)
    # The last added is the outermost.
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=MIN_GZIP_BYTES, compresslevel=5)
    app.add_middleware(TimeoutMiddleware, seconds=settings.deadline)
    app.add_middleware(RateLimitMiddleware, settings=settings, refused=front.metrics.refused_requests)
    app.add_middleware(AccessLogMiddleware, metrics=front.metrics)
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allow_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", VERSION_HEADER],
            expose_headers=["Retry-After", VERSION_HEADER],
        )
    app.add_middleware(SecurityHeadersMiddleware, allow_embed=settings.allow_embed)
    return app


def _on_sighup(work: Callable[[], None]) -> None:
    """Do some work on SIGHUP, where there is such a signal and this is the main thread."""
    with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, work)


def openapi_schema() -> dict[str, Any]:
    """What OpenAPI says of the application, whatever shop it serves."""
    return _app_with_routes().openapi()


def _app_with_routes(**options: Any) -> FastAPI:
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
    for part in ROUTE_MODULES:
        app.include_router(part.router)

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema = _with_error_responses(found)
        return app.openapi_schema

    app.openapi = described  # FastAPI's own way to add to it
    return app


def _with_error_responses(api: dict[str, Any]) -> dict[str, Any]:
    """Refusals in OpenAPI as they are here, instead of FastAPI's own 422, which is never answered."""
    schemas: dict[str, Any] = api["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations_ in api["paths"].items():
        for operation in operations_.values():
            if path not in UNLIMITED_PATHS:
                always = (400, 429, 503) if "requestBody" in operation else (429, 503)
                for status, said in error_responses(*always).items():
                    operation["responses"].setdefault(str(status), said)
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    schemas["Problem"] = Problem.model_json_schema()
    api["components"]["schemas"] = dict(sorted(schemas.items()))
    return api
