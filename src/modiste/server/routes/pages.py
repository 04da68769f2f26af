"""The page and what it is made of: HTML, modules and styles as they lie in `static/`, asked by ETag each time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from modiste.server.dependencies import CurrentShop
from modiste.server.http_cache import CachedBody
from modiste.server.problems import ProblemException

STATIC_DIR = Path(__file__).parent / "static"
# What the machine's own tables say may differ, and a browser runs a module only of the right type.
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".webp": "image/webp",
    ".png": "image/png",
}

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/embed")
async def studio_page(request: Request, studio: CurrentShop) -> Response:
    """The studio; as /embed it may stand in a frame of an allowed origin."""
    return (await studio.run_query(load_static_file, "index.html")).response(request)


@router.get("/docs")
async def docs_page(request: Request, studio: CurrentShop) -> Response:
    """The API, explained."""
    return (await studio.run_query(load_static_file, "docs.html")).response(request)


@router.get("/static/{name:path}")
async def static(request: Request, name: str, studio: CurrentShop) -> Response:
    """A file of the page."""
    return (await studio.run_query(load_static_file, name)).response(request)


def load_static_file(name: str) -> CachedBody:
    """A file in `static/`, read again when it has changed. Raises Refusal (404)."""
    try:
        path = (STATIC_DIR / name).resolve()
        if path.is_relative_to(STATIC_DIR.resolve()) and path.suffix in MEDIA_TYPES:
            held = path.stat()
            return _read_file(path, held.st_mtime_ns, held.st_size)
    except (OSError, ValueError):  # not there, a folder, or a name that no file can have
        pass
    raise ProblemException(
        404, "not_found", f"There is no file {name[:80]!r} here.", remedy="See / and /docs."
    )


@lru_cache(maxsize=256)
def _read_file(path: Path, *_version: int) -> CachedBody:
    return CachedBody.from_bytes(path.read_bytes(), MEDIA_TYPES[path.suffix])
