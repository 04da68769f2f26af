"""Limits on the size of request bodies."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.server.problems import ProblemException, exception_response

MAX_PHOTO_BYTES = 5_000_000
MULTIPART_OVERHEAD_BYTES = 65_536  # for the other parts of a multipart body
MAX_JSON_BYTES = 262_144
ENCODE_PATH = "/v1/encode"
PRODUCTS_PATH = "/v1/products/"
ADMIN_PRODUCTS_PATH = "/v1/admin/products/"

Header = tuple[bytes, bytes]


def max_body_bytes(path: str) -> int:
    """Return how many bytes the body of a request to a path may have."""
    with_photo = path == ENCODE_PATH or path.startswith(ADMIN_PRODUCTS_PATH)
    return MAX_PHOTO_BYTES + MULTIPART_OVERHEAD_BYTES if with_photo else MAX_JSON_BYTES


class BodyLimitMiddleware:
    """Middleware that counts the body of every request, with any method, and refuses too large ones with 413.

    A body that announces its size is refused before it is read, and a chunked one as soon as it exceeds the limit. If a
    route answers without reading a chunked body, the connection is closed: nothing else would end it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = max_body_bytes(scope["path"])
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await exception_response(too_large_problem(limit))(scope, receive, send)
            return
        complete = b"transfer-encoding" not in headers
        received = 0

        async def counted() -> Message:
            nonlocal complete, received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large_problem(limit)
            complete = complete or not message.get("more_body", False)
            return message

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start" and not complete:
                message = {**message, "headers": [*message["headers"], ascii_header("Connection", "close")]}
            await send(message)

        await self._app(scope, counted, answered)


def too_large_problem(limit: int) -> ProblemException:
    """Return a 413 that names the limit. The connection is closed, so that the rest need not be read."""
    limit_bytes = MAX_PHOTO_BYTES if limit > MAX_PHOTO_BYTES else limit
    size = f"{limit_bytes // 1_000_000} MB" if limit_bytes >= 1_000_000 else f"{limit_bytes // 1024} KiB"
    return ProblemException(
        413,
        "too_large",
        f"The request is over {size}.",
        remedy=f"Send at most {size}.",
        headers={"Connection": "close"},
    )


def ascii_header(name: str, value: str) -> Header:
    """Return an ASGI header: lower-case name and value, as bytes."""
    return name.lower().encode("ascii"), value.encode("ascii")
