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
from modiste.server.dependencies import front_of
from modiste.server.http_cache import LEAST_ZIPPED
from modiste.server.metrics import Metrics
from modiste.server.middleware.access_log import Timed
from modiste.server.middleware.body_limit import BodyLimit
from modiste.server.middleware.security_headers import Shield
from modiste.server.middleware.timeout import Guard
from modiste.server.openapi import NO_STORE
from modiste.server.problems import add_handlers
from modiste.server.routes import search
from modiste.server.routes.health import metrics
from modiste.server.settings import Settings
from modiste.server.thread_pools import Crew
from modiste.shop.query import Counsel

T = TypeVar("T")
THREADS = 32  # questions under way at once: these wait for shards, and work little


class Shards(Protocol):
    """What asks the shards; see `scale.front.Front`."""

    @property
    def now(self) -> Any:
        """The shop as it is asked now: a Counsel with `whole` and `version`."""

    def ask(self, work: Callable[[Any], T]) -> T:
        """What some work with it returns; done anew where the shards were replaced meanwhile."""
        ...

    def about(self) -> dict[str, Any]:
        """The version, the shards and their replicas."""
        ...


class Door:
    """Stands for the studio where routes ask for it."""

    def __init__(self, shards: Shards, settings: Settings) -> None:
        self.shards = shards
        self.metrics = Metrics()
        self.crew = Crew("ask", THREADS, settings.queue)

    def named(self, _version: str) -> Asking:
        """The shop as it is asked now."""
        return Asking(self, self.shards.now)


class Asking:
    """One version of the shop, as routes ask it."""

    def __init__(self, door: Door, shop: Any) -> None:
        self._door = door
        self.shop: Counsel = shop
        self.reach = shop.whole.reach
        self.version: str = shop.version

    async def asked(self, work: Callable[..., T], _studio: Asking, *given: Any) -> T:
        """What `work` returns, given the newest version and the rest; anew if that is replaced meanwhile."""

        def with_newest(shop: Any) -> T:
            return work(Asking(self._door, shop), *given)

        return await self._door.crew.do(self._door.shards.ask, with_newest)


def create_door(shards: Shards, settings: Settings) -> FastAPI:
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
    app.state.front = door = Door(shards, settings)
    app.include_router(search.routes)
    app.add_api_route("/livez", livez)
    app.add_api_route("/readyz", readyz)
    app.add_api_route("/metrics", metrics)
    add_handlers(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(GZipMiddleware, minimum_size=LEAST_ZIPPED, compresslevel=5)
    app.add_middleware(Guard, seconds=settings.deadline)
    app.add_middleware(Timed, metrics=door.metrics)
    app.add_middleware(Shield, allow_embed=())
    return app


async def livez() -> Response:
    """Whether the server runs."""
    return JSONResponse({"status": "alive"}, headers=NO_STORE)


async def readyz(door: Annotated[Door, Depends(front_of)]) -> Response:
    """Whether every shard answers, each of the same version; and their replicas."""
    told = await asyncio.to_thread(door.shards.about)
    return JSONResponse({"status": "ready"} | told, headers=NO_STORE)
