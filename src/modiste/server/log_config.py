"""What the server says of itself: a name for every request, and lines of JSON where they are asked for."""

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

REQUEST: ContextVar[str] = ContextVar("request", default="")
NAME = re.compile(rb"[A-Za-z0-9._-]{1,64}")
LOGGER = "modiste"
log = logging.getLogger(f"{LOGGER}.studio")
access = logging.getLogger(f"{LOGGER}.access")


def request_id(scope: Scope) -> str:
    """The X-Request-ID that a request came with, if it is a plain one; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and NAME.fullmatch(value):
            return value.decode("ascii")
    return uuid.uuid4().hex


class Lines(logging.Formatter):
    """One JSON object a line. It has no photo, no code and no address in it: only what is named here."""

    FIELDS: Sequence[str] = ("method", "route", "status", "ms", "bytes")

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        held: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "request": getattr(record, "request", REQUEST.get()),
        }
        held |= {name: getattr(record, name) for name in self.FIELDS if hasattr(record, name)}
        if record.exc_info:
            held["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(held, ensure_ascii=True)


def begin_logging(form: str) -> None:
    """Write what is logged to standard error: as JSON, a line for each request too; or as text, what fails alone."""
    handler = logging.StreamHandler(sys.stderr)
    json_lines = form == "json"
    handler.setFormatter(Lines() if json_lines else logging.Formatter("%(levelname)s: %(message)s"))
    for name in (LOGGER, "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO if json_lines and name == LOGGER else logging.WARNING)
        logger.propagate = False
