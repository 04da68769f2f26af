"""Run an application: bind the socket before anything is loaded, then serve with uvicorn until Ctrl-C."""

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
    """Bind a socket to an address; port 0 takes a free one.

    Raises BadOption if the port is in use or not allowed, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError, OverflowError) as error:
        raise BadOption(f"`--host {host}` is unknown: {error}.", remedy="Try --host 127.0.0.1.") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise _bind_error(host, port, error) from None
    return listener


def _bind_error(host: str, port: int, error: OSError) -> ModisteError:
    if error.errno == errno.EADDRINUSE:
        return BadOption(
            f"Port {port} of {host} is in use.",
            remedy=f"Choose another, such as --port {port + 1}, or --port 0 for a free one.",
        )
    if error.errno == errno.EACCES:
        return BadOption(f"Port {port} needs more rights.", remedy="Choose one above 1023, such as --port 8000.")
    return BadOption(f"The server cannot listen on {host}:{port}: {error}.", remedy="Try --host 127.0.0.1.")


def browser_url(listener: socket.socket) -> str:
    """Return the URL of a socket for a browser on this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}/"


def serve_shop(
    listener: socket.socket, shop: Shop, settings: Settings, backend_factory: BackendFactory | None = None
) -> None:
    """Serve a shop until Ctrl-C or SIGTERM. Requests under way are finished, within the deadline."""
    serve_app(listener, create_app(shop, settings, backend_factory), settings)


def serve_app(
    listener: socket.socket, app: FastAPI, settings: Settings, stop_event: threading.Event | None = None
) -> None:
    """Serve an application until Ctrl-C, SIGTERM or the event."""
    config = uvicorn.Config(
        app,
        http=with_header_timeout(settings.header_timeout),
        log_config=None,
        access_log=False,
        server_header=False,
        # Without this, uvicorn trusts the loopback addresses, or those that the environment names.
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
        server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises it again after its shutdown
        pass
    finally:
        listener.close()


def _stop_on_event(server: uvicorn.Server, when: threading.Event) -> None:
    when.wait()
    server.should_exit = True


def with_header_timeout(seconds: float) -> type[H11Protocol]:
    """Return uvicorn's HTTP/1.1 protocol, which closes a connection without complete headers after `seconds`.

    uvicorn's own waits forever.
    """

    class HeaderTimeoutProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._start_timer()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            cycle: Any = self.cycle
            if cycle is not None and not cycle.response_complete:
                self._stop_timer()
            elif self._timer is None:
                self._start_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def _start_timer(self) -> None:
            close: Callable[[], None] = self.transport.close
            self._timer = self.loop.call_later(seconds, close)

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return HeaderTimeoutProtocol
