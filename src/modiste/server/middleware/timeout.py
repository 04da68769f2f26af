"""A deadline for every request, and a 500 for unexpected errors."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.server.problems import logger, problem_response


class TimeoutMiddleware:
    """Answer 503 if a request, its body included, takes longer than `seconds`, and 500 for an unexpected error.

    The stack trace of an unexpected error goes to the log, never to the client.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            pass  # the client is gone
        except Exception:  # logged with its stack trace, which the client does not see
            if started or not limit.expired():
                logger.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            response = problem_response(
                500, "internal", "The server failed.", "Try again. The server's log has the details."
            )
            await (_timeout_problem(self._seconds) if limit.expired() else response)(scope, receive, send)


def _timeout_problem(seconds: float) -> Response:
    return problem_response(
        503,
        "too_slow",
        f"The request took longer than {seconds:g} s.",
        "Send the body faster, or request less. The server may be overloaded.",
        {"Retry-After": "5", "Connection": "close"},
    )
