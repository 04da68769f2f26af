"""Serving: a socket that is ours before anything is loaded, and uvicorn on it until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import math
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from modiste.errors import BadOption, ModisteError
from modiste.server.app import create_app
from modiste.server.log_config import configure_logging
from modiste.server.settings import Settings
from modiste.server.versions import BackendFactory
from modiste.shop.shop import Shop


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an address; port 0 takes a free one.

    Raises:
        BadOption: the port is taken or not allowed, or the host is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        held = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError, OverflowError) as error:
        raise BadOption(f"The host {host!r} is not known: {error}.", remedy="Try --host 127.0.0.1.") from None
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(address)
        held.listen(1024)
    except OSError as error:
        held.close()
        raise _bind_error(host, port, error) from None
    return held


def _bind_error(host: str, port: int, error: OSError) -> ModisteError:
    if error.errno == errno.EADDRINUSE:
        return BadOption(
            f"Port {port} of {host} is in use.",
            remedy=f"Give another, such as --port {port + 1}; or 0, for any.",
        )
    if error.errno == errno.EACCES:
        return BadOption(f"Port {port} is not allowed.", remedy="Give one above 1023, such as --port 8000.")
    return BadOption(f"{host}:{port} cannot be served: {error}.", remedy="Try --host 127.0.0.1.")


def browser_url(held: socket.socket) -> str:
    """Where a browser on this machine finds what a socket serves."""
    host, port = held.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}/"


def serve_shop(
    held: socket.socket, shop: Shop, settings: Settings, backend_factory: BackendFactory | None = None
) -> None:
    """Serve a shop on a socket until Ctrl-C or SIGTERM: what was asked until then is answered, within the deadline."""
    serve_app(held, create_app(shop, settings, backend_factory), settings)


def serve_app(
    held: socket.socket, app: FastAPI, settings: Settings, stop_event: threading.Event | None = None
) -> None:
    """Serve an application so, or until an event."""
    config = uvicorn.Config(
        app,
        http=with_header_timeout(settings.patience),
        log_config=None,
        access_log=False,
        server_header=False,
        # If this is left out, uvicorn trusts the loopback, or what the environment names.
        forwarded_allow_ips=list(settings.trusted_proxies),
        lifespan="on",
        limit_concurrency=settings.connections,
        timeout_graceful_shutdown=math.ceil(settings.deadline),
    )
    configure_logging(settings.log)
    try:
        server = uvicorn.Server(config)
        if stop_event is not None:
            threading.Thread(target=_stop_on_event, args=(server, stop_event), daemon=True).start()
        server.run(sockets=[held])
    except KeyboardInterrupt:  # uvicorn raises it again once all is closed
        pass
    finally:
        held.close()


def _stop_on_event(server: uvicorn.Server, when: threading.Event) -> None:
    when.wait()
    server.should_exit = True


def with_header_timeout(seconds: float) -> type[H11Protocol]:
    """uvicorn's HTTP/1.1, which by itself waits for ever, hanging up where no whole head came within some seconds."""

    class HeaderTimeoutProtocol(H11Protocol):
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

    return HeaderTimeoutProtocol
