"""How much one client may ask: a token bucket for each, 429 when it is empty."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from prometheus_client import Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from modiste.server.problems import problem
from modiste.server.settings import Settings

CLIENTS = 65_536  # remembered at once, the last seen
UPLOADS = ("/v1/encode", "/v1/between")
FRAMES = ("/v1/frame.jpg", "/v1/decode")
ANSWERS = ("/v1/similar", "/v1/recommend")
FREE = ("/livez", "/readyz")  # whoever watches the server is never turned away


class Bucket:
    """`rate` tokens a second flow into each client's bucket, which holds `burst`; whoever asks takes one.

    Kept as one number a client, the time at which its bucket will be full (the generic cell rate algorithm, ITU-T
    I.371).
    """

    def __init__(self, rate: float, burst: float, now: Callable[[], float] = time.monotonic) -> None:
        self._step, self._room, self._now = 1.0 / rate, max(1.0, burst) / rate, now
        self._full: OrderedDict[str, float] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take a token: 0; or, where there is none, the seconds until there is one."""
        now = self._now()
        full = max(self._full.pop(client, now), now)
        late = full + self._step - now - self._room
        self._full[client] = full if late > 1e-9 else full + self._step
        if len(self._full) > CLIENTS:
            self._full.popitem(last=False)
        return late if late > 1e-9 else 0.0


class Limited:
    """Turns away who asks too much, before anything is read or done."""

    def __init__(self, app: ASGIApp, settings: Settings, refused: Counter) -> None:
        self._app = app
        self._refused = refused
        per_second = settings.uploads_per_minute / 60.0
        self._buckets = {
            "frames": Bucket(settings.frames_per_second, 2 * settings.frames_per_second),
            "answers": Bucket(settings.answers_per_second, 2 * settings.answers_per_second),
            "uploads": Bucket(per_second, settings.uploads_per_minute / 3),
            "others": Bucket(settings.others_per_second, 2 * settings.others_per_second),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in FREE:
            await self._app(scope, receive, send)
            return
        kind = kind_of(scope["path"])
        wait = self._buckets[kind].wait(client_of(scope))
        if wait == 0.0:
            await self._app(scope, receive, send)
            return
        self._refused.labels(kind).inc()
        seconds = math.ceil(wait)
        answer = problem(
            429,
            "too_many",
            f"Too many requests of this kind ({kind}).",
            f"Ask again in {seconds} s; GET /version has the limits.",
            # What is left of a body is not read.
            {"Retry-After": str(seconds), "Connection": "close"},
        )
        await answer(scope, receive, send)


def kind_of(path: str) -> str:
    """Which bucket a request takes from."""
    for kind, paths in (("frames", FRAMES), ("answers", ANSWERS), ("uploads", UPLOADS)):
        if path in paths:
            return kind
    return "others"


def client_of(scope: Scope) -> str:
    """Return the address of the client; of an IPv6 address the network of /64, all of which one client has.

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
