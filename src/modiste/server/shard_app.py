"""Door: similar and recommend over HTTP, as the studio answers them, for a shop that lies in shards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response

from modiste._version import __version__
from modiste.server.app import NO_TELEMETRY
from modiste.server.dependencies import get_versions
from modiste.server.http_cache import MIN_GZIP_BYTES
from modiste.server.metrics import Metrics
from modiste.server.middleware.access_log import AccessLogMiddleware
from modiste.server.middleware.body_limit import BodyLimitMiddleware
from modiste.server.middleware.security_headers import SecurityHeadersMiddleware
from modiste.server.middleware.timeout import TimeoutMiddleware
from modiste.server.openapi import NO_STORE_HEADERS
from modiste.server.problems import add_exception_handlers
from modiste.server.routes import search
from modiste.server.routes.health import metrics
from modiste.server.settings import Settings
from modiste.server.thread_pools import BoundedPool
from modiste.shop.query import QueryEngine

T = TypeVar("T")
QUERY_THREADS = 32  # questions under way at once: these wait for shards, and work little


class ShardSearch(Protocol):
    """What asks the shards; see `scale.front.Front`."""

    @property
    def current(self) -> Any:
        """The shop as it is asked now: a Counsel with `whole` and `version`."""

    def run(self, work: Callable[[Any], T]) -> T:
        """What some work with it returns; done anew where the shards were replaced meanwhile."""
        ...

    def status(self) -> dict[str, Any]:
        """The version, the shards and their replicas."""
        ...


class ShardVersions:
    """Stands for the studio where routes ask for it."""

    def __init__(self, shards: ShardSearch, settings: Settings) -> None:
        self.shards = shards
        self.metrics = Metrics()
        self.pool = BoundedPool("ask", QUERY_THREADS, settings.queue)

    def get(self, _version: str) -> ShardedShop:
        """The shop as it is asked now."""
        return ShardedShop(self, self.shards.current)


class ShardedShop:
    """One version of the shop, as routes ask it."""

    def __init__(self, door: ShardVersions, shop: Any) -> None:
        self._door = door
        self.shop: QueryEngine = shop
        self.code_bounds = shop.whole.reach
        self.version: str = shop.version

    async def run_query(self, work: Callable[..., T], _studio: ShardedShop, *given: Any) -> T:
        """What `work` returns, given the newest version and the rest; anew if that is replaced meanwhile."""

        def with_newest(shop: Any) -> T:
            return work(ShardedShop(self._door, shop), *given)

        return await self._door.pool.run(self._door.shards.run, with_newest)


def create_shard_app(shards: ShardSearch, settings: Settings) -> FastAPI:
    """The application that asks the shards."""
    app = FastAPI(
        title="Modiste shards",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    app.state.front = door = ShardVersions(shards, settings)
    app.include_router(search.router)
    app.add_api_route("/livez", livez)
    app.add_api_route("/readyz", readyz)
    app.add_api_route("/metrics", metrics)
    add_exception_handlers(app)
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=MIN_GZIP_BYTES, compresslevel=5)
    app.add_middleware(TimeoutMiddleware, seconds=settings.deadline)
    app.add_middleware(AccessLogMiddleware, metrics=door.metrics)
    app.add_middleware(SecurityHeadersMiddleware, allow_embed=())
    return app


async def livez() -> Response:
    """Whether the server runs."""
    return JSONResponse({"status": "alive"}, headers=NO_STORE_HEADERS)


async def readyz(door: Annotated[ShardVersions, Depends(get_versions)]) -> Response:
    """Whether every shard answers, each of the same version; and their replicas."""
    told = await asyncio.to_thread(door.shards.status)
    return JSONResponse({"status": "ready"} | told, headers=NO_STORE_HEADERS)
