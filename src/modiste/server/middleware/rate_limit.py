"""Rate limits per client: a token bucket each; 429 if it is empty."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from prometheus_client import Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from modiste.server.problems import problem_response
from modiste.server.settings import Settings

MAX_CLIENTS = 65_536  # the least recently seen are forgotten
UPLOAD_PATHS = ("/v1/encode", "/v1/interpolate")
FRAME_PATHS = ("/v1/render.jpg", "/v1/decode")
QUERY_PATHS = ("/v1/similar", "/v1/recommend")
UNLIMITED_PATHS = ("/livez", "/readyz")  # for health checks


class TokenBuckets:
    """One bucket per client, which holds `burst` tokens and gets `rate` per second; a request takes one.

    Each is stored as one number, the time at which the bucket will be full (the generic cell rate algorithm, ITU-T
    I.371).
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._token_seconds, self._burst_seconds, self._clock = 1.0 / rate, max(1.0, burst) / rate, clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token: return 0, or if there is none, the seconds until there is one."""
        now = self._clock()
        full = max(self._full_at.pop(client, now), now)
        wait = full + self._token_seconds - now - self._burst_seconds
        self._full_at[client] = full if wait > 1e-9 else full + self._token_seconds
        if len(self._full_at) > MAX_CLIENTS:
            self._full_at.popitem(last=False)
        return wait if wait > 1e-9 else 0.0


class RateLimitMiddleware:
    """Reject over-limit requests with 429 before reading the body."""

    def __init__(self, app: ASGIApp, settings: Settings, refused: Counter) -> None:
        self._app = app
        self._refused = refused
        per_second = settings.uploads_per_minute / 60.0
        self._buckets = {
            "frames": TokenBuckets(settings.frames_per_second, 2 * settings.frames_per_second),
            "queries": TokenBuckets(settings.queries_per_second, 2 * settings.queries_per_second),
            "uploads": TokenBuckets(per_second, settings.uploads_per_minute / 3),
            "others": TokenBuckets(settings.others_per_second, 2 * settings.others_per_second),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection (ASGI)."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED_PATHS:
            await self._app(scope, receive, send)
            return
        kind = request_kind(scope["path"])
        wait = self._buckets[kind].take(client_key(scope))
        if wait == 0.0:
            await self._app(scope, receive, send)
            return
        self._refused.labels(kind).inc()
        seconds = math.ceil(wait)
        answer = problem_response(
            429,
            "too_many",
            f"The limit for {kind} is exceeded.",
            f"Retry after {seconds} s. GET /version has the limits.",
            # The rest of the body is not read.
            {"Retry-After": str(seconds), "Connection": "close"},
        )
        await answer(scope, receive, send)


def request_kind(path: str) -> str:
    """Return which bucket a request takes a token from."""
    for kind, paths in (("frames", FRAME_PATHS), ("queries", QUERY_PATHS), ("uploads", UPLOAD_PATHS)):
        if path in paths:
            return kind
    return "others"


def client_key(scope: Scope) -> str:
    """Return the client's address; for IPv6 the /64 network, because one client has all of its addresses.

    Behind a trusted proxy, uvicorn has put the address that the proxy names into the scope.
    """
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((int(address) >> 64 << 64, 64)).network_address)
    return str(getattr(address, "ipv4_mapped", None) or address)
