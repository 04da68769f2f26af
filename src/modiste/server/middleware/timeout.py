"""A deadline for every request, and an answer for unexpected errors."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.server.problems import logger, problem_response


class TimeoutMiddleware:
    """Answers for a request that would end without an answer: 500, without a trace, for what nobody expected (the trace
    goes to the log), and 503 for what takes longer than some seconds, the coming of its body included."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await self._app(scope, receive, watched)
        except ClientDisconnect:
            pass  # nobody is there to answer
        except Exception:  # whatever it is, it is logged whole, and nobody sees a trace
            if started or not limit.expired():
                logger.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            answer = problem_response(
                500, "internal", "The server failed.", "Try again; the server's log says more."
            )
            await (_timeout_problem(self._seconds) if limit.expired() else answer)(scope, receive, send)


def _timeout_problem(seconds: float) -> Response:
    return problem_response(
        503,
        "too_slow",
        f"The request took longer than {seconds:g} s.",
        "Send it faster, or ask for less; the server may also have much to do.",
        {"Retry-After": "5", "Connection": "close"},
    )
