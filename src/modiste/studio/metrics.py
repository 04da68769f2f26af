"""What the studio counts, for Prometheus: requests by route, frames drawn or remembered, the size of the shop."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
METHODS = frozenset({"GET", "HEAD", "POST"})


class Metrics:
    """The counters of one application: in a registry of its own, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Histogram(
            "modiste_request_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.decoding = Histogram(
            "modiste_decode_seconds",
            "Time to draw one frame from a code and to write it as a picture.",
            buckets=SECONDS,
            registry=self.registry,
        )
        frames = Counter("modiste_frames_total", "Live frames answered.", ("cache",), registry=self.registry)
        self.hits, self.misses = frames.labels("hit"), frames.labels("miss")
        self.cached = Gauge(
            "modiste_cache_bytes", "Bytes of pictures kept in memory.", ("kind",), registry=self.registry
        )
        self.products = Gauge("modiste_products", "Products of the shop.", registry=self.registry)
        self.info = Gauge(
            "modiste_info", "1, for what is served.", ("version", "model"), registry=self.registry
        )

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self.registry)


class Timed:
    """Times every request. The label is the route's template: as many series as there are routes, whatever is asked."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = getattr(scope.get("route"), "path", "none")
            took = time.perf_counter() - began
            self._metrics.requests.labels(method, route, str(status)).observe(took)
