"""What the studio counts, for Prometheus: requests by route, frames drawn or remembered, the size of the shop."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The counters of one application: in a registry of its own, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.request_seconds = Histogram(
            "modiste_request_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("method", "route", "status"),
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self.decode_seconds = Histogram(
            "modiste_decode_seconds",
            "Time to draw one frame from a code and to write it as a picture.",
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        frames = Counter("modiste_frames_total", "Live frames answered.", ("cache",), registry=self.registry)
        self.cache_hits, self.cache_misses = frames.labels("hit"), frames.labels("miss")
        self.cache_bytes = Gauge(
            "modiste_cache_bytes", "Bytes of pictures kept in memory.", ("kind",), registry=self.registry
        )
        self.queue_length = Gauge(
            "modiste_queue", "Requests that wait or are worked for.", ("crew",), registry=self.registry
        )
        self.refused_requests = Counter(
            "modiste_refused_total",
            "Requests turned away before any work.",
            ("kind",),
            registry=self.registry,
        )
        self.product_count = Gauge("modiste_products", "Products of the shop.", registry=self.registry)
        self.info = Gauge(
            "modiste_info", "1, for what is served.", ("version", "model"), registry=self.registry
        )

    def to_prometheus(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self.registry)
