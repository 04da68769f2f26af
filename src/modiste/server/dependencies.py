"""FastAPI dependencies: the version of the shop that a request is for, the versions, and what runs its queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends
from starlette.requests import Request

from modiste.server.served_shop import ServedShop
from modiste.server.versions import VersionManager
from modiste.shop.query import QueryEngine

T = TypeVar("T")
VERSION_HEADER = "modiste-shop-version"
"""Header of a response, and of a request that stays with the version of the shop that its page was loaded with."""


def get_versions(request: Request) -> VersionManager:
    """Return the versions of the shop that the application serves."""
    return request.app.state.versions


async def get_current_shop(request: Request) -> ServedShop:
    """Return the version that the request's header names, if it is still served; else the current one."""
    shop = get_versions(request).get(request.headers.get(VERSION_HEADER, ""))
    request.state.version = shop.version
    return shop


CurrentShop = Annotated[ServedShop, Depends(get_current_shop)]
"""The version of the shop, as a parameter of a route."""


class QueryRunner(Protocol):
    """Runs queries on one version of a shop, on the server's query threads."""

    @property
    def version(self) -> str:
        """The version of the shop."""
        ...

    async def run_on_engine(self, work: Callable[[QueryEngine], T]) -> T:
        """Return what `work` returns for the version's engine. Raises ProblemException (503) if too many wait."""
        ...


async def get_query_runner(request: Request) -> QueryRunner:
    """Return the QueryRunner of a request: a version of the shop, or its shards."""
    runner: QueryRunner = request.app.state.query_runner(request.headers.get(VERSION_HEADER, ""))
    request.state.version = runner.version
    return runner


Queries = Annotated[QueryRunner, Depends(get_query_runner)]
"""The QueryRunner, as a parameter of a route."""

Versions = Annotated[VersionManager, Depends(get_versions)]
"""The VersionManager, as a parameter of a route."""
