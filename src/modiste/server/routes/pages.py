"""The page's files: HTML, JavaScript and CSS from `static/`, revalidated by ETag."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from modiste.server.dependencies import CurrentShop
from modiste.server.http_cache import CachedBody
from modiste.server.problems import ProblemException

STATIC_DIR = Path(__file__).parents[1] / "static"
# The system's own table may differ, and browsers run a module only with the right media type.
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
_COMMENT_LINES = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.M | re.S)  # not for browsers

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/embed")
async def studio_page(request: Request, served: CurrentShop) -> Response:
    """Return the studio; as /embed it may be in an iframe of an allowed origin."""
    return (await served.run_query(load_static_file, "index.html")).response(request)


@router.get("/docs")
async def docs_page(request: Request, served: CurrentShop) -> Response:
    """Return the page that explains the API."""
    return (await served.run_query(load_static_file, "docs.html")).response(request)


@router.get("/static/{name:path}")
async def static(request: Request, name: str, served: CurrentShop) -> Response:
    """Return a file of the page."""
    return (await served.run_query(load_static_file, name)).response(request)


def load_static_file(name: str) -> CachedBody:
    """Return a file of `static/`, read again if it has changed. Raises ProblemException (404)."""
    try:
        path = (STATIC_DIR / name).resolve()
        if path.is_relative_to(STATIC_DIR.resolve()) and path.suffix in MEDIA_TYPES:
            stat = path.stat()
            return _read_file(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError):  # missing, a folder, or an invalid name
        pass
    raise ProblemException(404, "not_found", f"There is no file {name[:80]!r}.", remedy="See / and /docs.")


@lru_cache(maxsize=256)
def _read_file(path: Path, *_version: int) -> CachedBody:
    data = path.read_bytes()
    if path.suffix in (".js", ".css"):
        data = _COMMENT_LINES.sub(b"", data)
    return CachedBody.from_bytes(data, MEDIA_TYPES[path.suffix])
