"""Prometheus metrics of the server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The metrics of one application, in their own registry: two applications in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.request_seconds = Histogram(
            "modiste_request_seconds",
            "Time from a request's arrival to the end of its response.",
            ("method", "route", "status"),
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self.decode_seconds = Histogram(
            "modiste_decode_seconds",
            "Time to decode a code and to compress the picture.",
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        frames = Counter("modiste_frames_total", "Pictures of /v1/render.jpg.", ("cache",), registry=self.registry)
        self.cache_hits, self.cache_misses = frames.labels("hit"), frames.labels("miss")
        self.cache_bytes = Gauge(
            "modiste_cache_bytes", "Bytes of pictures cached in memory.", ("kind",), registry=self.registry
        )
        self.queue_length = Gauge("modiste_queue", "Requests that run or wait.", ("pool",), registry=self.registry)
        self.refused_requests = Counter(
            "modiste_refused_total", "Requests refused by the rate limiter.", ("kind",), registry=self.registry
        )
        self.product_count = Gauge("modiste_products", "Products of the shop.", registry=self.registry)
        self.info = Gauge(
            "modiste_info", "Always 1; the labels say what is served.", ("version", "model"), registry=self.registry
        )

    def to_prometheus(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self.registry)
