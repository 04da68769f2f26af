"""Limits on the size of request bodies."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.server.problems import Refusal, refusal_response

PHOTO_BYTES = 5_000_000
MULTIPART_BYTES = 65_536  # what a multipart body may have around its photo
JSON_BYTES = 262_144
ENCODE = "/v1/encode"
PRODUCTS = "/v1/products/"
KEPT = "/v1/admin/products/"

Header = tuple[bytes, bytes]


def body_limit(path: str) -> int:
    """How many bytes a request to a path may carry."""
    with_photo = path == ENCODE or path.startswith(KEPT)
    return PHOTO_BYTES + MULTIPART_BYTES if with_photo else JSON_BYTES


class BodyLimit:
    """Middleware that counts the body of every request, with any method, and refuses too large ones with 413.

    A body that announces its size is refused before anything of it is read, and a chunked one as soon as too much has
    come. If a route answers without reading a chunked body, the connection is closed: nothing else would end it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = body_limit(scope["path"])
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await refusal_response(too_large(limit))(scope, receive, send)
            return
        complete = b"transfer-encoding" not in headers
        received = 0

        async def counted() -> Message:
            nonlocal complete, received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large(limit)
            complete = complete or not message.get("more_body", False)
            return message

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start" and not complete:
                message = {**message, "headers": [*message["headers"], ascii_header("Connection", "close")]}
            await send(message)

        await self._app(scope, counted, answered)


def too_large(limit: int) -> Refusal:
    """413, naming the limit. The connection is closed, so that the rest need not be read."""
    shown = PHOTO_BYTES if limit > PHOTO_BYTES else limit
    size = f"{shown // 1_000_000} MB" if shown >= 1_000_000 else f"{shown // 1024} KiB"
    return Refusal(
        413,
        "too_large",
        f"The request is over {size}.",
        remedy=f"Send at most {size}.",
        headers={"Connection": "close"},
    )


def ascii_header(name: str, value: str) -> Header:
    return name.lower().encode("ascii"), value.encode("ascii")
