"""S3 server on this machine for tests: moto's. Prints its address, and serves until it is stopped.

It answers one request at a time: moto checks the condition of a write and writes in two steps, so with two threads, two
writers could both succeed, which S3 never allows.

    .venv-tools/bin/python tests/s3_server.py [--without-conditions]

Without conditions, it ignores a write's conditions, as some stores do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

WITHOUT = "--without-conditions" in sys.argv
COUNTED = "/-/counted"  # where it says how many requests it has answered, and with how many bytes


class Counting:
    """Middleware that counts requests and response bytes."""

    def __init__(self, app: Any) -> None:
        self.app, self.requests, self.bytes = app, 0, 0

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == COUNTED:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"requests": self.requests, "bytes": self.bytes}).encode()]
        self.requests += 1
        if WITHOUT and environ["REQUEST_METHOD"] == "PUT":
            environ.pop("HTTP_IF_MATCH", None)
            environ.pop("HTTP_IF_NONE_MATCH", None)
        return self._counted(self.app(environ, start_response))

    def _counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            self.bytes += len(part)
            yield part


server = make_server("127.0.0.1", 0, Counting(DomainDispatcherApplication(create_backend_app)))
print(f"http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
