"""Limits on ids and attributes, and text that is safe for terminals and spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modiste.sources.record import Record

MAX_NAME_CHARS = 512
"""Limit for an id or a category."""

MAX_TEXT_CHARS = 131_072
"""Limit for an attribute; the same as for a field of a CSV."""

MAX_ATTRIBUTES_CHARS = 2 * MAX_TEXT_CHARS
"""Limit for all attributes of a product together, including their names."""

MAX_COLUMNS = 4096
"""Limit for the columns of a table, and the attributes of a product."""

MAX_CELL_CHARS = 500  # of a CSV for people

_CONTROL_RANGES = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL_CHAR = re.compile(f"[{_CONTROL_RANGES}]")
_CONTROL_CHAR_EXCEPT_NEWLINE = re.compile(f"[{_CONTROL_RANGES}]".replace(r"\x00-\x1f", r"\x00-\x09\x0b-\x1f"))


def id_problem(id: str) -> str | None:
    """Describe why an id is not allowed; None if it is. This is the only rule for ids, in every interface.

    An id is an opaque name, even if it looks like a path or a formula. Control characters are rejected because a
    terminal or a log viewer would act on them.
    """
    if 0 < len(id) <= MAX_NAME_CHARS and not _CONTROL_CHAR.search(id):
        return None
    return f"an id has 1 to {MAX_NAME_CHARS} characters, none of them a control character"


def record_problem(record: Record) -> tuple[str, str] | None:
    """Describe why a record cannot become a product, as (reason, detail); None if it can."""
    if (problem := id_problem(record.id)) is not None:
        return "bad_id", problem
    if len(record.category) > MAX_NAME_CHARS:
        return "malformed_row", f"a category has at most {MAX_NAME_CHARS} characters"
    if len(record.attributes) > MAX_COLUMNS:
        return "malformed_row", f"a product has at most {MAX_COLUMNS:,} attributes"
    for name, value in record.attributes.items():
        if isinstance(value, str) and len(value) > MAX_TEXT_CHARS:
            detail = f"{name[:80]} has {len(value):,} characters; {MAX_TEXT_CHARS:,} are allowed"
            return "malformed_row", detail
    if (size := count_chars(record.attributes)) > MAX_ATTRIBUTES_CHARS:
        detail = f"its attributes have {size:,} characters; {MAX_ATTRIBUTES_CHARS:,} are allowed"
        return "malformed_row", detail
    return None


def count_chars(attributes: Mapping[str, Any]) -> int:
    """Return the approximate number of characters of attributes, including their names."""
    return sum(len(name) + (len(value) if isinstance(value, str) else 8) for name, value in attributes.items())


def escape_control_chars(text: str) -> str:
    r"""Escape what would act on a terminal (to `\u001b`): control characters except newline, bidirectional overrides.

    Inside JSON the escapes keep their meaning.
    """
    return _CONTROL_CHAR_EXCEPT_NEWLINE.sub(_escape, text)


def escape_to_one_line(text: str) -> str:
    """Escape like `escape_control_chars`, newlines included."""
    return _CONTROL_CHAR.sub(_escape, text)


def csv_safe(text: str) -> str:
    """Prepare `text` for a CSV cell that people open in a spreadsheet: escaped, shortened, and never a formula.

    Text that a spreadsheet would evaluate, because it begins with =, +, - or @, gets an apostrophe in front.
    """
    shown = escape_to_one_line(text)
    shown = shown if len(shown) <= MAX_CELL_CHARS else shown[: MAX_CELL_CHARS - 1] + "…"
    return "'" + shown if shown.lstrip().startswith(("=", "+", "-", "@")) else shown


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
