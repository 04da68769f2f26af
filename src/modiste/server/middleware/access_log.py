"""Middleware that times and logs every request, and adds its id and the shop's version to the response."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.server.dependencies import VERSION_HEADER
from modiste.server.log_config import REQUEST_ID, access_logger, get_request_id
from modiste.server.metrics import Metrics

HTTP_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})


class AccessLogMiddleware:
    """Measure and log every request by its route's template, so that the number of series stays bounded."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status, sent = 500, 0
        name = get_request_id(scope)
        token = REQUEST_ID.set(name)

        async def send_with_ids(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(b"x-request-id", name.encode("ascii"))]
                version = scope.get("state", {}).get("version")
                if version is not None:
                    extra.append((VERSION_HEADER.encode("ascii"), version.encode("ascii")))
                message = {**message, "headers": [*message["headers"], *extra]}
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_with_ids)
        finally:
            method = scope["method"] if scope["method"] in HTTP_METHODS else "other"
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - start
            self._metrics.request_seconds.labels(method, route, str(status)).observe(seconds)
            fields = {"method": method, "route": route, "status": status, "ms": round(1e3 * seconds, 2), "bytes": sent}
            access_logger.info("request", extra=fields)
            REQUEST_ID.reset(token)
