"""What a product may be called and hold, and how words from outside are shown, so that they are only ever words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modiste.sources.record import Record

MAX_NAME_CHARS = 512
"""Characters of an id or a category."""

MAX_TEXT_CHARS = 131_072
"""Characters of an attribute; as much as a field of a CSV may have."""

MAX_ATTRIBUTES_CHARS = 2 * MAX_TEXT_CHARS
"""Characters of all attributes of a product together, their names included."""

MAX_COLUMNS = 4096
"""Columns of a table, and attributes of a product."""

_CONTROL_RANGES = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL_CHAR = re.compile(f"[{_CONTROL_RANGES}]")
_CONTROL_CHAR_EXCEPT_NEWLINE = re.compile(f"[{_CONTROL_RANGES}]".replace(r"\x00-\x1f", r"\x00-\x09\x0b-\x1f"))


def id_problem(id: str) -> str | None:
    """Why a product cannot be called so; None if it can. This is the one rule for ids, wherever they come from.

    An id is an opaque name, whatever path or formula it looks like; it has no control characters, which would act on
    whoever reads it in a terminal or a log.
    """
    if 0 < len(id) <= MAX_NAME_CHARS and not _CONTROL_CHAR.search(id):
        return None
    return f"an id has 1 to {MAX_NAME_CHARS} characters, none of them a control character"


def record_problem(record: Record) -> tuple[str, str] | None:
    """Why a record cannot be a product, as (reason, detail); None if it can."""
    if (why := id_problem(record.id)) is not None:
        return "bad-id", why
    if len(record.category) > MAX_NAME_CHARS:
        return "malformed-row", f"a category has at most {MAX_NAME_CHARS} characters"
    if len(record.attributes) > MAX_COLUMNS:
        return "malformed-row", f"a product has at most {MAX_COLUMNS:,} attributes"
    for name, value in record.attributes.items():
        if isinstance(value, str) and len(value) > MAX_TEXT_CHARS:
            return (
                "malformed-row",
                f"{name[:80]} has {len(value):,} characters; {MAX_TEXT_CHARS:,} are allowed",
            )
    if (size := count_chars(record.attributes)) > MAX_ATTRIBUTES_CHARS:
        return (
            "malformed-row",
            f"its attributes have {size:,} characters; {MAX_ATTRIBUTES_CHARS:,} are allowed",
        )
    return None


def count_chars(attributes: Mapping[str, Any]) -> int:
    """About how many characters attributes have, their names included."""
    return sum(
        len(name) + (len(value) if isinstance(value, str) else 8) for name, value in attributes.items()
    )


def escape_control_chars(text: str) -> str:
    """`text` with what would act on a terminal written out (`\\u001b`): control characters but the end of a line, and
    those that turn the direction of writing. Inside JSON they mean what they meant."""
    return _CONTROL_CHAR_EXCEPT_NEWLINE.sub(_escape, text)


def escape_to_one_line(text: str) -> str:
    """As `harmless`, the ends of lines written out too."""
    return _CONTROL_CHAR.sub(_escape, text)


def csv_safe(text: str, max_chars: int = 500) -> str:
    """`text` for a cell of a CSV that people open in a spreadsheet: harmless, of bearable length, and never a formula.

    What a spreadsheet would compute, because it begins with =, +, - or @, gets an apostrophe before it.
    """
    shown = escape_to_one_line(text)
    shown = shown if len(shown) <= max_chars else shown[: max_chars - 1] + "…"
    return "'" + shown if shown.lstrip().startswith(("=", "+", "-", "@")) else shown


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
