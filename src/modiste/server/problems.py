"""Error responses as `application/problem+json` (RFC 9457), with a stable code and a remedy."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Literal, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from modiste.errors import (
    ErrorCode,
    ModisteError,
    PhotoError,
    PhotoReason,
    RayClusterError,
    ShopError,
    StorageError,
    UnknownProduct,
    UsageError,
    error_code,
)

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL_CHARS = 500  # messages quote the input, which may be long

HttpCode = Literal[
    "bad_request", "not_found", "method_not_allowed", "not_acceptable", "too_large", "unsupported_media", "validation"
]
ServerCode = Literal[
    "unknown_render_id",
    "unknown_exemplar",
    "unauthorized",
    "read_only",
    "too_many",
    "busy",
    "too_slow",
    "not_ready",
    "internal",
]
ProblemCode = Literal[HttpCode, ServerCode, ErrorCode]
"""Every code of an error response: of HTTP, of this server, or of an error class of `modiste.errors`."""

DOCS_REMEDY = "See /docs."
# Errors of HTTP itself: status → code, meaning, remedy.
HTTP_PROBLEMS: dict[int, tuple[HttpCode, str, str]] = {
    400: ("bad_request", "The request is malformed.", DOCS_REMEDY),
    404: ("not_found", "The path does not exist.", DOCS_REMEDY),
    405: ("method_not_allowed", "The path does not support this method.", "Use a method that the Allow header names."),
    406: ("not_acceptable", "The server offers none of the types in Accept.", "Accept one of the offered types."),
    413: ("too_large", "The body exceeds the limit, or a photo 5 MB.", "Send a smaller one."),
    415: ("unsupported_media", "The media type is not supported.", "Send a photo as JPEG, PNG or WebP."),
    422: ("validation", "A parameter or field is missing, unknown, or of the wrong type.", DOCS_REMEDY),
}

# Errors of this server: code → status, meaning.
SERVER_PROBLEMS: dict[ServerCode, tuple[int, str]] = {
    "unknown_render_id": (404, "`render_id` names a model and ranges that the server does not have, or no longer has."),
    "unknown_exemplar": (
        404,
        "`exemplar` and `photo_hash` name a photo that the server does not have, or no longer has.",
    ),
    "unauthorized": (401, "The key is missing or wrong."),
    "read_only": (403, "The read key cannot change the shop."),
    "too_many": (429, "The client exceeded its rate limit; Retry-After says when to retry."),
    "busy": (503, "Too many requests wait; Retry-After says when to retry."),
    "too_slow": (503, "The request, its body included, took longer than the server's deadline."),
    "not_ready": (503, "The server is starting or stopping."),
    "internal": (500, "The server failed; its log has the details."),
}

logger = logging.getLogger("modiste.server")


class ProblemException(HTTPException):
    """An error response: `code` is stable, `remedy` says what to do."""

    def __init__(
        self, status: int, code: ProblemCode, detail: str, *, remedy: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.code: ProblemCode = code
        self.remedy = remedy


def problem_response(
    status: int,
    code: ProblemCode,
    detail: str,
    remedy: str,
    headers: Mapping[str, str] | None = None,
    reason: PhotoReason | None = None,
) -> Response:
    """Return an error response."""
    fields = {
        "type": f"urn:modiste:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": truncate(detail),
        "code": code,
        "remedy": remedy,
    } | ({} if reason is None else {"reason": reason})
    # Quoted input may hold half a surrogate pair, which UTF-8 cannot encode.
    body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def exception_response(refusal: ProblemException) -> Response:
    """Return the response of a ProblemException."""
    return problem_response(refusal.status_code, refusal.code, refusal.detail, refusal.remedy, refusal.headers)


def http_status(error: ModisteError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, UnknownProduct):
        return 404
    if isinstance(error, PhotoError):
        return 413 if error.reason == "too_large" else 422
    if isinstance(error, UsageError):
        return 422
    return 503 if isinstance(error, (ShopError, StorageError, RayClusterError)) else 500


def truncate(text: str) -> str:
    """Return a text of at most `MAX_DETAIL_CHARS`."""
    return text if len(text) <= MAX_DETAIL_CHARS else text[: MAX_DETAIL_CHARS - 1] + "…"


def add_exception_handlers(app: FastAPI) -> None:
    """Answer every exception that a route may raise with a problem response."""
    app.add_exception_handler(ModisteError, _handle_modiste_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)


async def _handle_modiste_error(_request: Request, error: Exception) -> Response:
    modiste_error = cast("ModisteError", error)
    reason = modiste_error.reason if isinstance(modiste_error, PhotoError) else None
    return problem_response(
        http_status(modiste_error),
        error_code(type(modiste_error)),
        modiste_error.message,
        modiste_error.remedy,
        reason=reason,
    )


async def _handle_validation_error(_request: Request, error: Exception) -> Response:
    errors = cast("RequestValidationError", error).errors()
    messages = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in errors[:5]]
    more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
    code, _, remedy = HTTP_PROBLEMS[422]
    return problem_response(422, code, "; ".join(messages) + more + ".", remedy)


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    exception = cast("HTTPException", error)
    if isinstance(exception, ProblemException):
        return exception_response(exception)
    code, _, remedy = HTTP_PROBLEMS.get(exception.status_code, HTTP_PROBLEMS[400])
    headers = dict(exception.headers or {})
    if "GET" in headers.get("Allow", ""):
        headers["Allow"] = "GET, HEAD"  # SecurityHeadersMiddleware answers HEAD for every GET
    target = f"{request.method} {truncate(request.url.path)}"
    return problem_response(exception.status_code, code, f"{target}: {exception.detail}.", remedy, headers)
