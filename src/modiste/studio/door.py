"""Door: similar and recommend over HTTP, as the studio answers them, for a shop that lies in shards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response

from modiste import __version__
from modiste.shop.counsel import Counsel
from modiste.studio import answers
from modiste.studio.app import NO_TELEMETRY
from modiste.studio.crews import Crew
from modiste.studio.describing import NO_STORE
from modiste.studio.here import AtFront
from modiste.studio.metrics import Metrics
from modiste.studio.operations import metrics
from modiste.studio.prepared import LEAST_ZIPPED
from modiste.studio.problems import Guard, add_handlers
from modiste.studio.security import BodyLimit, Shield
from modiste.studio.settings import Settings
from modiste.studio.timing import Timed

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
    app.include_router(answers.routes)
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


async def readyz(front: AtFront) -> Response:
    """Whether every shard answers, each of the same version; and their replicas."""
    told = await asyncio.to_thread(front.shards.about)
    return JSONResponse({"status": "ready"} | told, headers=NO_STORE)
