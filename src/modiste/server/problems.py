"""Every refusal as `application/problem+json` (RFC 9457), with a code that stays the same and a remedy."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from modiste.errors import (
    ClusterError,
    ModisteError,
    PhotoError,
    ShopError,
    StorageError,
    UnknownProduct,
    UsageError,
    error_code,
)

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL_CHARS = 500  # characters of a message: what was given may be long, and comes back in it

DOCS_REMEDY = "See /docs for what there is."
# What HTTP itself refuses: status → code, when, remedy.
HTTP_PROBLEMS = {
    400: ("bad_request", "The request cannot be read.", DOCS_REMEDY),
    404: ("not_found", "There is nothing at that path.", DOCS_REMEDY),
    405: (
        "method_not_allowed",
        "The path does not answer that method.",
        "Use one that the Allow header names.",
    ),
    406: ("not_acceptable", "None of the types that Accept names is offered.", "Accept one that is."),
    413: ("too_large", "The body is over the limit, or a photo over 5 MB.", "Send less."),
    415: (
        "unsupported_media",
        "The body is not of a type that is read.",
        "Send a photo as JPEG, PNG or WebP.",
    ),
    422: ("validation", "A parameter or field is missing, unknown, or of the wrong type.", DOCS_REMEDY),
}

# What the studio refuses beside these: code → status, when.
SERVER_PROBLEMS = {
    "unknown_render_id": (
        404,
        "`render_id` names a model and ranges that the server does not have, or no longer has.",
    ),
    "unauthorized": (401, "The key is missing, or not one of the server's."),
    "read_only": (403, "The key may only look."),
    "too_many": (429, "The client has asked too much; Retry-After says when to ask again."),
    "busy": (503, "Too many requests wait; Retry-After says when to ask again."),
    "too_slow": (503, "The request, its body included, took longer than the server's deadline."),
    "not_ready": (503, "The server is starting or stopping."),
    "internal": (500, "The server failed; its log says more."),
}

logger = logging.getLogger("modiste.studio")


class ProblemException(HTTPException):
    """A request that HTTP has a status for: `code` is stable, `remedy` says what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.remedy = remedy


def problem_response(
    status: int,
    code: str,
    detail: str,
    remedy: str,
    headers: Mapping[str, str] | None = None,
    reason: str | None = None,
) -> Response:
    """The answer that refuses."""
    held = {
        "type": f"urn:modiste:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": truncate(detail),
        "code": code,
        "remedy": remedy,
    } | ({} if reason is None else {"reason": reason})
    # What was given may hold half a surrogate pair, which UTF-8 does not.
    body = json.dumps(held, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def exception_response(refusal: ProblemException) -> Response:
    """Return the answer that a refusal is sent as."""
    return problem_response(
        refusal.status_code, refusal.code, refusal.detail, refusal.remedy, refusal.headers
    )


def http_status(error: ModisteError) -> int:
    """The status that an error of the shop is answered with."""
    if isinstance(error, UnknownProduct):
        return 404
    if isinstance(error, PhotoError):
        return 413 if error.reason == "too_large" else 422
    if isinstance(error, UsageError):
        return 422
    return 503 if isinstance(error, (ShopError, StorageError, ClusterError)) else 500


def truncate(text: str) -> str:
    """A message of bearable length."""
    return text if len(text) <= MAX_DETAIL_CHARS else text[: MAX_DETAIL_CHARS - 1] + "…"


def add_exception_handlers(app: FastAPI) -> None:
    """Answer every kind of refusal that a route may raise."""
    app.add_exception_handler(ModisteError, _handle_modiste_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)


async def _handle_modiste_error(_request: Request, error: Exception) -> Response:
    found = cast("ModisteError", error)
    reason = found.reason if isinstance(found, PhotoError) else None
    return problem_response(
        http_status(found), error_code(type(found)), found.message, found.remedy, reason=reason
    )


async def _handle_validation_error(_request: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()
    said = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in found[:5]]
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    code, _, remedy = HTTP_PROBLEMS[422]
    return problem_response(422, code, "; ".join(said) + more + ".", remedy)


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    found = cast("HTTPException", error)
    if isinstance(found, ProblemException):
        return exception_response(found)
    code, _, remedy = HTTP_PROBLEMS.get(found.status_code, HTTP_PROBLEMS[400])
    headers = dict(found.headers or {})
    if "GET" in headers.get("Allow", ""):
        headers["Allow"] = "GET, HEAD"  # HEAD is answered further out, for all of them
    asked = f"{request.method} {truncate(request.url.path)}"
    return problem_response(found.status_code, code, f"{asked}: {found.detail}.", remedy, headers)
