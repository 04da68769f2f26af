"""The application: routes, middleware and their order."""

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
from modiste.pipeline.product_changes import pending_step
from modiste.server import payloads
from modiste.server.dependencies import VERSION_HEADER
from modiste.server.http_cache import MIN_GZIP_BYTES
from modiste.server.middleware.access_log import AccessLogMiddleware
from modiste.server.middleware.body_limit import BodyLimitMiddleware
from modiste.server.middleware.rate_limit import UNLIMITED_PATHS, RateLimitMiddleware
from modiste.server.middleware.security_headers import SecurityHeadersMiddleware
from modiste.server.middleware.timeout import TimeoutMiddleware
from modiste.server.problems import add_exception_handlers
from modiste.server.refresher import Refresher
from modiste.server.routes import admin, encode, health, images, pages, products, search
from modiste.server.routes import shop as overview
from modiste.server.schemas.openapi import error_responses
from modiste.server.schemas.responses import Problem
from modiste.server.settings import Settings
from modiste.server.versions import BackendFactory, VersionManager
from modiste.shop.shop import Shop

DESCRIPTION = (
    "Draw a design, and find the shop's products that are similar to it or go with it. A design is a code: a list of "
    "numbers. Errors are `application/problem+json` with a stable `code` and a `remedy`."
)
ROUTE_MODULES = (overview, images, encode, search, products, admin, health, pages)
NO_TELEMETRY: Any = dict.fromkeys(("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False)


def create_app(shop: Shop, settings: Settings | None = None, backend_factory: BackendFactory | None = None) -> FastAPI:
    """Create the application that serves a shop, opened with `need="map"`.

    `backend_factory` makes what searches products instead of this process, such as shards.
    """
    settings = settings or Settings()
    versions = VersionManager(shop, settings, backend_factory)
    refresher = Refresher(versions)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await versions.start()
        # Built while the first visitors are served already.
        payloads_task = asyncio.create_task(payloads.build_payloads(versions.current))
        if settings.admin_key and await asyncio.to_thread(pending_step, versions.current.shop) is not None:
            refresher.request_refresh()  # finish the update that a stopped server left unfinished
        _on_sighup(refresher.request_refresh)
        yield
        payloads_task.cancel()
        await refresher.stop()
        versions.close()

    app = _app_with_routes(lifespan=lifespan)
    app.state.versions, app.state.refresher = versions, refresher
    app.state.query_runner, app.state.metrics = versions.get, versions.metrics
    add_exception_handlers(app)
    # The last middleware added is the outermost.
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=MIN_GZIP_BYTES, compresslevel=5)
    app.add_middleware(TimeoutMiddleware, seconds=settings.deadline)
    app.add_middleware(RateLimitMiddleware, settings=settings, refused=versions.metrics.refused_requests)
    app.add_middleware(AccessLogMiddleware, metrics=versions.metrics)
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


def _on_sighup(callback: Callable[[], None]) -> None:
    """Call `callback` on SIGHUP, if the system has this signal and this is the main thread."""
    with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, callback)


def openapi_schema() -> dict[str, Any]:
    """Return the OpenAPI description, which is the same for every shop."""
    return _app_with_routes().openapi()


def _app_with_routes(**options: Any) -> FastAPI:
    app = FastAPI(
        title="Modiste studio",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        telemetry=NO_TELEMETRY,
        **options,
    )
    for module in ROUTE_MODULES:
        app.include_router(module.router)

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            base = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            app.openapi_schema = _with_error_responses(base)
        return app.openapi_schema

    app.openapi = schema  # FastAPI's documented way to extend it
    return app


def _with_error_responses(api: dict[str, Any]) -> dict[str, Any]:
    """Describe the errors that are sent, instead of FastAPI's own 422, which never is."""
    schemas: dict[str, Any] = api["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in api["paths"].items():
        for operation in operations.values():
            if path not in UNLIMITED_PATHS:
                always = (400, 429, 503) if "requestBody" in operation else (429, 503)
                for status, response in error_responses(*always).items():
                    operation["responses"].setdefault(str(status), response)
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    schemas["Problem"] = Problem.model_json_schema()
    api["components"]["schemas"] = dict(sorted(schemas.items()))
    return api
