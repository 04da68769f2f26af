"""Logging: request ids, and JSON lines if the settings ask for them."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
import uuid
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope

REQUEST_ID: ContextVar[str] = ContextVar("request", default="")
REQUEST_ID_PATTERN = re.compile(rb"[A-Za-z0-9._-]{1,64}")
LOGGER_NAME = "modiste"
logger = logging.getLogger(f"{LOGGER_NAME}.server")
access_logger = logging.getLogger(f"{LOGGER_NAME}.access")


def get_request_id(scope: Scope) -> str:
    """Return the request's X-Request-ID if it is a plain one; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID_PATTERN.fullmatch(value):
            return value.decode("ascii")
    return uuid.uuid4().hex


class JsonFormatter(logging.Formatter):
    """Formatter of one JSON object per line. Only the fields named here appear: no photo, code or address."""

    FIELDS: Sequence[str] = ("method", "route", "status", "ms", "bytes")

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as JSON."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "request": getattr(record, "request", REQUEST_ID.get()),
        }
        fields |= {name: getattr(record, name) for name in self.FIELDS if hasattr(record, name)}
        if record.exc_info:
            fields["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(fields, ensure_ascii=True)


def configure_logging(log_format: str) -> None:
    """Log to standard error: with "json" a line per request; with "text" only warnings and errors."""
    handler = logging.StreamHandler(sys.stderr)
    json_lines = log_format == "json"
    handler.setFormatter(JsonFormatter() if json_lines else logging.Formatter("%(levelname)s: %(message)s"))
    for name in (LOGGER_NAME, "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO if json_lines and name == LOGGER_NAME else logging.WARNING)
        logger.propagate = False
