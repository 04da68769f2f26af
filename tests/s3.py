"""A real S3 server on this machine, in a process of its own: moto's, one request at a time.

One at a time, since moto looks at the condition of a write and writes in two steps: between two threads of its, two
writers could both be let through, which S3 never does.

    python -m tests.s3        prints its address, and serves until it is ended
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

BUCKET = "shops"
COUNTED = "/-/counted"  # where the server says how many requests it has answered, and with how many bytes
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}


@contextmanager
def running() -> Iterator[str]:
    """The server, with a bucket; gives its address."""
    command = [sys.executable, "-m", "tests.s3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        try:
            httpx.put(f"{address}/{BUCKET}", timeout=30).raise_for_status()
            yield address
        finally:
            server.kill()


class Counting:
    """Counts what an application is asked and answers."""

    def __init__(self, app: Any) -> None:
        self.app, self.requests, self.bytes = app, 0, 0

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == COUNTED:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"requests": self.requests, "bytes": self.bytes}).encode()]
        self.requests += 1
        return self._counted(self.app(environ, start_response))

    def _counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            self.bytes += len(part)
            yield part


def main() -> None:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app = Counting(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app)  # pyright: ignore[reportArgumentType]
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
