"""A web server on loopback that misbehaves as real shops' servers do, and counts its requests."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from tests.sources.shops import jpeg

PHOTO = jpeg(7)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = Lock()
        self.asked: Counter[str] = Counter()
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.agents: set[str] = set()
        self.now = self.most = 0
        self.closing = False

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    """Handler whose `/photo…` works; every other path misbehaves in the way of its name."""

    server: Server

    def do_GET(self) -> None:
        path = self.path
        with self.server.lock:
            self.server.asked[path] += 1
            self.server.times[path].append(time.monotonic())
            self.server.agents.add(self.headers["User-Agent"])
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
        try:
            behave = getattr(self, path.strip("/").split("-")[0].split("?")[0])
            behave(self.server.asked[path])
        except (ConnectionError, TimeoutError):
            pass  # the client has closed the connection
        finally:
            with self.server.lock:
                self.server.now -= 1

    def log_message(self, format: str, *args: object) -> None:
        pass

    def respond(self, body: bytes = PHOTO, status: int = 200, kind: str | None = "image/jpeg", **headers: str) -> None:
        self.send_response(status)
        if kind is not None:
            self.send_header("Content-Type", kind)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def photo(self, time: int) -> None:
        self.respond()

    def typeless(self, time: int) -> None:
        self.respond(kind=None)

    def dawdling(self, count: int) -> None:
        time.sleep(0.05)
        self.respond()

    def slow(self, count: int) -> None:
        time.sleep(0.9)
        self.respond()

    def slowonce(self, count: int) -> None:
        if count == 1:
            time.sleep(0.9)
        self.respond()

    def missing(self, count: int) -> None:
        self.respond(b"no such photo", 404, "text/plain")

    def failing(self, count: int) -> None:
        self.respond(b"oh no", 500, "text/plain")

    def recovering(self, count: int) -> None:
        if count <= 2:
            self.failing(count)
        else:
            self.respond()

    def busy(self, count: int) -> None:
        if count == 1:
            self.respond(b"later", 429, "text/plain", Retry_After="1")
        else:
            self.respond()

    def busydate(self, count: int) -> None:
        if count == 1:
            self.respond(b"later", 503, "text/plain", Retry_After=formatdate(time.time() + 1.0, usegmt=True))
        else:
            self.respond()

    def busylong(self, count: int) -> None:
        self.respond(b"tomorrow", 503, "text/plain", Retry_After="86400")

    def html(self, count: int) -> None:
        self.respond(b"<html>sign in</html>", kind="text/html; charset=utf-8")

    def lying(self, count: int) -> None:
        self.respond(b"<html>sign in</html>")

    def truncated(self, count: int) -> None:
        self.respond(PHOTO[:100], Content_Length=str(len(PHOTO)))
        self.close_connection = True

    def truncatedonce(self, count: int) -> None:
        if count == 1:
            self.truncated(count)
        else:
            self.respond()

    def announced(self, count: int) -> None:
        self.respond(PHOTO, Content_Length="99999999999")
        self.close_connection = True

    def stream(self, pause: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(PHOTO[:4])
        while not self.server.closing:
            self.wfile.write(b"x" if pause else b"x" * 65536)
            time.sleep(pause)

    def endless(self, count: int) -> None:
        self.stream(pause=0.0)

    def drip(self, count: int) -> None:
        self.stream(pause=0.05)

    def dripheaders(self, count: int) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self.server.closing:
            self.wfile.write(b"x")
            time.sleep(0.05)

    def moved(self, count: int) -> None:
        self.respond(b"", 302, "text/plain", Location="/photo-after-a-move")

    def circle(self, count: int) -> None:
        self.respond(b"", 302, "text/plain", Location="/circle")

    def elsewhere(self, count: int) -> None:
        self.respond(b"", 302, "text/plain", Location="file:///etc/passwd")

    def hangup(self, count: int) -> None:
        self.close_connection = True


@contextmanager
def misbehaving_server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing = True
            server.shutdown()
            thread.join()
