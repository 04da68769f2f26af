"""Times every request, gives it a name, and says in its answer which version of the shop it was of."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.server.dependencies import VERSION_HEADER
from modiste.server.log_config import REQUEST_ID, access_logger, get_request_id
from modiste.server.metrics import Metrics

HTTP_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})


class AccessLogMiddleware:
    """The label is the route's template: as many series as there are routes, whatever is asked."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status, sent = 500, 0
        name = get_request_id(scope)
        token = REQUEST_ID.set(name)

        async def watched(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                said = [(b"x-request-id", name.encode("ascii"))]
                version = scope.get("state", {}).get("version")
                if version is not None:
                    said.append((VERSION_HEADER.encode("ascii"), version.encode("ascii")))
                message = {**message, "headers": [*message["headers"], *said]}
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in HTTP_METHODS else "other"
            route = getattr(scope.get("route"), "path", "none")
            took = time.perf_counter() - began
            self._metrics.request_seconds.labels(method, route, str(status)).observe(took)
            said = {
                "method": method,
                "route": route,
                "status": status,
                "ms": round(1e3 * took, 2),
                "bytes": sent,
            }
            access_logger.info("request", extra=said)
            REQUEST_ID.reset(token)
