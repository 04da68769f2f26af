"""The page and what it is made of: HTML, modules and styles as they lie in `static/`, asked by ETag each time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from modiste.server.dependencies import Here
from modiste.server.http_cache import Prepared
from modiste.server.problems import Refusal

STATIC = Path(__file__).parent / "static"
# What the machine's own tables say may differ, and a browser runs a module only of the right type.
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".webp": "image/webp",
    ".png": "image/png",
}

routes = APIRouter(include_in_schema=False)


@routes.get("/")
@routes.get("/embed")
async def studio_page(request: Request, studio: Here) -> Response:
    """The studio; as /embed it may stand in a frame of an allowed origin."""
    return (await studio.asked(static_file, "index.html")).answer(request)


@routes.get("/docs")
async def docs_page(request: Request, studio: Here) -> Response:
    """The API, explained."""
    return (await studio.asked(static_file, "docs.html")).answer(request)


@routes.get("/static/{name:path}")
async def static(request: Request, name: str, studio: Here) -> Response:
    """A file of the page."""
    return (await studio.asked(static_file, name)).answer(request)


def static_file(name: str) -> Prepared:
    """A file in `static/`, read again when it has changed. Raises Refusal (404)."""
    try:
        path = (STATIC / name).resolve()
        if path.is_relative_to(STATIC.resolve()) and path.suffix in TYPES:
            held = path.stat()
            return _prepared(path, held.st_mtime_ns, held.st_size)
    except (OSError, ValueError):  # not there, a folder, or a name that no file can have
        pass
    raise Refusal(404, "not_found", f"There is no file {name[:80]!r} here.", remedy="See / and /docs.")


@lru_cache(maxsize=256)
def _prepared(path: Path, *_version: int) -> Prepared:
    return Prepared.of(path.read_bytes(), TYPES[path.suffix])
