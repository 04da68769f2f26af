"""Response bodies that are compressed once and revalidated by ETag."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

MIN_GZIP_BYTES = 1000  # a smaller body fits one packet anyway
GZIP_TYPES = ("text/", "application/json", "image/svg+xml")
NO_CACHE = "no-cache"  # store it, but revalidate each time


@dataclass(frozen=True, slots=True)
class CachedBody:
    """A body, its gzipped form if that is smaller, and its weak ETag, the same for both."""

    body: bytes
    gzipped: bytes | None
    media_type: str
    etag: str

    @classmethod
    def from_bytes(cls, body: bytes, media_type: str) -> CachedBody:
        """Compress and hash a body."""
        gzipped = None
        if len(body) >= MIN_GZIP_BYTES and media_type.startswith(GZIP_TYPES):
            compressed = gzip.compress(body, 9, mtime=0)
            gzipped = compressed if len(compressed) < len(body) else None
        return cls(body, gzipped, media_type, f'W/"{hashlib.sha256(body).hexdigest()[:20]}"')

    @classmethod
    def from_json(cls, value: Any) -> CachedBody:
        """Create the body of a value, as compact JSON."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return cls.from_bytes(text.encode("utf-8", "surrogatepass"), "application/json")

    def response(self, request: Request) -> Response:
        """Return the response: 304 if the client has the body, gzipped if it accepts that."""
        headers = {"ETag": self.etag, "Cache-Control": NO_CACHE}
        varying = headers | {"Vary": "Accept-Encoding"}
        if etag_matches(request, self.etag):
            return Response(status_code=304, headers=varying)
        if self.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.gzipped, media_type=self.media_type, headers=varying | {"Content-Encoding": "gzip"})
        # GZipMiddleware adds Vary to this one.
        return Response(self.body, media_type=self.media_type, headers=headers)


def etag_matches(request: Request, etag: str) -> bool:
    """Return whether If-None-Match says that the client has what the ETag names."""
    header = request.headers.get("if-none-match", "")
    tags = [each.strip().removeprefix("W/") for each in header.split(",")]
    return header.strip() == "*" or etag.removeprefix("W/") in tags
