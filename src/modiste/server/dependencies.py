"""What a route is given: the version of the shop that its request is for, or what stands before all versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from modiste.server.served_shop import Studio
from modiste.server.versions import Front

VERSION = (
    "modiste-version"  # the header that names the version: of an answer, and of a request that stays with one
)


def front_of(request: Request) -> Front:
    """What a request is for, whatever version of the shop."""
    return request.app.state.front


async def studio_of(request: Request) -> Studio:
    """The version of the shop that a request is for: the one it names, if that is still here."""
    studio = front_of(request).named(request.headers.get(VERSION, ""))
    request.state.version = studio.version
    return studio


Here = Annotated[Studio, Depends(studio_of)]
"""The version of the shop, as a parameter of a route."""

AtFront = Annotated[Front, Depends(front_of)]
"""The Front, as a parameter of a route."""
