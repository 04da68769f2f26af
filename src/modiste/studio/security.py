"""Around every answer: strict headers, bounded bodies, HEAD wherever GET is, and ids that may hold any character."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.studio.problems import Refusal, refusal_response

PHOTO_BYTES = 5_000_000
MULTIPART_BYTES = 65_536  # what a multipart body may have around its photo
JSON_BYTES = 262_144
ENCODE = "/v1/encode"
PRODUCTS = "/v1/products/"
KEPT = "/v1/admin/products/"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

Header = tuple[bytes, bytes]


def body_limit(path: str) -> int:
    """How many bytes a request to a path may carry."""
    with_photo = path == ENCODE or path.startswith(KEPT)
    return PHOTO_BYTES + MULTIPART_BYTES if with_photo else JSON_BYTES


class Shield:
    """The outermost layer. Pages get the whole policy; data, which nobody renders, a short one."""

    def __init__(self, app: ASGIApp, allow_embed: Sequence[str] = ()) -> None:
        self._app = app
        both = [_header("X-Content-Type-Options", "nosniff"), _header("Referrer-Policy", "same-origin")]
        self._data = [*both, _header("Content-Security-Policy", DATA_POLICY)]
        page = [*both, _header("Permissions-Policy", PERMISSIONS)]
        ancestors = " ".join(("'self'", *allow_embed))
        self._page = [
            *page,
            _header("Content-Security-Policy", PAGE_POLICY + "'self'"),
            _header("Cross-Origin-Opener-Policy", "same-origin"),
        ]
        self._embedded = [*page, _header("Content-Security-Policy", PAGE_POLICY + ancestors)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        if head or scope["path"].startswith((PRODUCTS, KEPT)):
            scope = dict(scope)
            scope["method"] = "GET" if head else scope["method"]
            scope["path"] = _escaped_path(scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Header] = message["headers"]
                # "Not modified" has no type to judge by, and its headers would replace those of the page it confirms.
                if message["status"] != 304:
                    headers = [*headers, *self._headers_for(scope["path"], headers)]
                message = {**message, "headers": headers}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, guarded)

    def _headers_for(self, path: str, headers: Sequence[Header]) -> Sequence[Header]:
        is_page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
        if not is_page:
            return self._data
        return self._embedded if path == "/embed" else self._page


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
                message = {**message, "headers": [*message["headers"], _header("Connection", "close")]}
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


def _escaped_path(scope: Scope) -> str:
    """The path; of a product, with its id still percent-encoded, so that a slash in an id is not one of the path's."""
    path: str = scope["path"]
    if path.startswith((PRODUCTS, KEPT)) and scope.get("raw_path"):
        return scope["raw_path"].partition(b"?")[0].decode("ascii", "replace")
    return path


def _header(name: str, value: str) -> Header:
    return name.lower().encode("ascii"), value.encode("ascii")
