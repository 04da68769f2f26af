"""Prepared answers: bytes that stay the same until something changes, zipped once, with an ETag to ask again with."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

MIN_GZIP_BYTES = 1000  # bytes: below, zipping saves no packet
GZIP_TYPES = ("text/", "application/json", "image/svg+xml")
NO_CACHE = "no-cache"  # keep it, but ask each time whether it is still the same


@dataclass(frozen=True, slots=True)
class CachedBody:
    """The body as it is and, where that is smaller, zipped; and its weak ETag, the same for both."""

    body: bytes
    gzipped: bytes | None
    media_type: str
    etag: str

    @classmethod
    def from_bytes(cls, body: bytes, media_type: str) -> CachedBody:
        """Zip and hash a body."""
        zipped = None
        if len(body) >= MIN_GZIP_BYTES and media_type.startswith(GZIP_TYPES):
            packed = gzip.compress(body, 9, mtime=0)
            zipped = packed if len(packed) < len(body) else None
        return cls(body, zipped, media_type, f'W/"{hashlib.sha256(body).hexdigest()[:20]}"')

    @classmethod
    def from_json(cls, value: Any) -> CachedBody:
        """A value as compact JSON."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return cls.from_bytes(text.encode("utf-8", "surrogatepass"), "application/json")

    def response(self, request: Request) -> Response:
        """The body, zipped for those who can read it; or 304 for those who have it."""
        headers = {"ETag": self.etag, "Cache-Control": NO_CACHE}
        varied = headers | {"Vary": "Accept-Encoding"}
        if etag_matches(request, self.etag):
            return Response(status_code=304, headers=varied)
        if self.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                self.gzipped, media_type=self.media_type, headers=varied | {"Content-Encoding": "gzip"}
            )
        # GZipMiddleware says of this one that it varies.
        return Response(self.body, media_type=self.media_type, headers=headers)


def etag_matches(request: Request, etag: str) -> bool:
    """Whether the client says, with If-None-Match, that it has what the ETag names."""
    asked = request.headers.get("if-none-match", "")
    tags = [each.strip().removeprefix("W/") for each in asked.split(",")]
    return asked.strip() == "*" or etag.removeprefix("W/") in tags
