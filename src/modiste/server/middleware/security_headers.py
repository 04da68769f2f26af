"""Security headers, HEAD for every GET, and product ids with escaped slashes."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modiste.server.middleware.body_limit import ADMIN_PRODUCTS_PATH, PRODUCTS_PATH, Header, ascii_header

PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
)
DATA_CSP = "default-src 'none'; frame-ancestors 'none'"
PERMISSIONS_POLICY = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeadersMiddleware:
    """The outermost middleware. Pages get the full content security policy, everything else a short one."""

    def __init__(self, app: ASGIApp, allow_embed: Sequence[str] = ()) -> None:
        self._app = app
        common = [ascii_header("X-Content-Type-Options", "nosniff"), ascii_header("Referrer-Policy", "same-origin")]
        self._data = [*common, ascii_header("Content-Security-Policy", DATA_CSP)]
        page = [*common, ascii_header("Permissions-Policy", PERMISSIONS_POLICY)]
        ancestors = " ".join(("'self'", *allow_embed))
        self._page = [
            *page,
            ascii_header("Content-Security-Policy", PAGE_CSP + "'self'"),
            ascii_header("Cross-Origin-Opener-Policy", "same-origin"),
        ]
        self._embedded = [*page, ascii_header("Content-Security-Policy", PAGE_CSP + ancestors)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        if head or scope["path"].startswith((PRODUCTS_PATH, ADMIN_PRODUCTS_PATH)):
            scope = dict(scope)
            scope["method"] = "GET" if head else scope["method"]
            scope["path"] = _raw_product_path(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Header] = message["headers"]
                # A 304 has no content type to choose by, and its headers would replace those of the cached page.
                if message["status"] != 304:
                    headers = [*headers, *self._headers_for(scope["path"], headers)]
                message = {**message, "headers": headers}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _headers_for(self, path: str, headers: Sequence[Header]) -> Sequence[Header]:
        is_page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
        if not is_page:
            return self._data
        return self._embedded if path == "/embed" else self._page


def _raw_product_path(scope: Scope) -> str:
    """Return the path; for a product with its id still percent-encoded, so that a slash in the id stays escaped."""
    path: str = scope["path"]
    if path.startswith((PRODUCTS_PATH, ADMIN_PRODUCTS_PATH)) and scope.get("raw_path"):
        return scope["raw_path"].partition(b"?")[0].decode("ascii", "replace")
    return path
