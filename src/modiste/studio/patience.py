"""How long a visitor is waited for: a deadline for each request, and for the head of one that does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from modiste.studio.problems import problem


class Deadline:
    """Ends a request that takes too long, its body's coming included, with 503; or hangs up, if half answered."""

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
        except TimeoutError:
            if started or not limit.expired():
                raise
            answer = problem(
                503,
                "too_slow",
                f"The request took longer than {self._seconds:g} s.",
                "Send it faster, or ask for less; the server may also have much to do.",
                {"Retry-After": "5", "Connection": "close"},
            )
            await answer(scope, receive, send)


def patient(seconds: float) -> type[H11Protocol]:
    """uvicorn's HTTP/1.1, which by itself waits for ever, hanging up where no whole head came within some seconds."""

    class Patient(H11Protocol):
        _waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            cycle: Any = self.cycle
            if cycle is not None and not cycle.response_complete:
                self._stop()
            elif self._waiting is None:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _wait(self) -> None:
            close: Callable[[], None] = self.transport.close
            self._waiting = self.loop.call_later(seconds, close)

        def _stop(self) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

    return Patient
