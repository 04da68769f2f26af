"""Web application of the shard server: similar and recommend over HTTP, searched on a shop's shards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response

from modiste._version import __version__
from modiste.server.app import NO_TELEMETRY
from modiste.server.http_cache import MIN_GZIP_BYTES
from modiste.server.metrics import Metrics
from modiste.server.middleware.access_log import AccessLogMiddleware
from modiste.server.middleware.body_limit import BodyLimitMiddleware
from modiste.server.middleware.security_headers import SecurityHeadersMiddleware
from modiste.server.middleware.timeout import TimeoutMiddleware
from modiste.server.problems import add_exception_handlers
from modiste.server.routes import search
from modiste.server.routes.health import livez, metrics
from modiste.server.schemas.openapi import NO_STORE_HEADERS
from modiste.server.settings import Settings
from modiste.server.thread_pools import BoundedPool
from modiste.shop.query import QueryEngine

T = TypeVar("T")
QUERY_THREADS = 32  # they wait for shards most of the time


class Shards(Protocol):
    """One version of the shards; see distributed.shard_backend.ShardBackend."""

    @property
    def version(self) -> str:
        """The version of the shop."""
        ...

    @property
    def engine(self) -> QueryEngine:
        """The query engine that searches these shards."""
        ...


class ShardSearch(Protocol):
    """The newest shards of a shop; see distributed.shard_client.ShardClient."""

    @property
    def current(self) -> Shards:
        """The newest shards."""
        ...

    def run(self, work: Callable[[Shards], T]) -> T:
        """Return `work(shards)` for the newest shards. If they are replaced meanwhile, `work` runs again."""
        ...

    def status(self) -> dict[str, Any]:
        """Return the version, the shards and their replicas."""
        ...


class ShardQueryRunner:
    """QueryRunner that sends each query to the newest shards."""

    def __init__(self, client: ShardSearch, settings: Settings) -> None:
        self._client = client
        self._pool = BoundedPool("query", QUERY_THREADS, settings.queue)

    @property
    def version(self) -> str:
        """The version of the newest shards."""
        return self._client.current.version

    async def run_on_engine(self, work: Callable[[QueryEngine], T]) -> T:
        """Return `work(engine)` for the newest shards. If they are replaced meanwhile, `work` runs again."""
        return await self._pool.run(self._client.run, lambda shards: work(shards.engine))


def create_shard_app(client: ShardSearch, settings: Settings) -> FastAPI:
    """Create the application that sends its queries to the shards of `client`."""
    app = FastAPI(
        title="Modiste shards",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    runner = ShardQueryRunner(client, settings)
    app.state.query_runner = lambda _version: runner
    app.state.metrics = Metrics()

    async def readyz() -> Response:
        """Return the version and the replicas of the shards; a problem response if a shard does not answer."""
        status = await asyncio.to_thread(client.status)
        return JSONResponse({"status": "ready"} | status, headers=NO_STORE_HEADERS)

    app.include_router(search.router)
    app.add_api_route("/livez", livez)
    app.add_api_route("/readyz", readyz)
    app.add_api_route("/metrics", metrics)
    add_exception_handlers(app)
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=MIN_GZIP_BYTES, compresslevel=5)
    app.add_middleware(TimeoutMiddleware, seconds=settings.deadline)
    app.add_middleware(AccessLogMiddleware, metrics=app.state.metrics)
    app.add_middleware(SecurityHeadersMiddleware, allow_embed=())
    return app
