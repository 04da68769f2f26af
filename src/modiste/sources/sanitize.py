"""What a product may be called and hold, and how words from outside are shown, so that they are only ever words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modiste.sources.record import Record

LONGEST_NAME = 512
"""Characters of an id or a category."""

LONGEST_TEXT = 131_072
"""Characters of an attribute; as much as a field of a CSV may have."""

LONGEST_WORDS = 2 * LONGEST_TEXT
"""Characters of all attributes of a product together, their names included."""

MOST_COLUMNS = 4096
"""Columns of a table, and attributes of a product."""

_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_CONTROL_IN_LINES = re.compile(f"[{_CONTROLS}]".replace(r"\x00-\x1f", r"\x00-\x09\x0b-\x1f"))


def unfit_id(id: str) -> str | None:
    """Why a product cannot be called so; None if it can. This is the one rule for ids, wherever they come from.

    An id is an opaque name, whatever path or formula it looks like; it has no control characters, which would act on
    whoever reads it in a terminal or a log.
    """
    if 0 < len(id) <= LONGEST_NAME and not _CONTROL.search(id):
        return None
    return f"an id has 1 to {LONGEST_NAME} characters, none of them a control character"


def unfit(record: Record) -> tuple[str, str] | None:
    """Why a record cannot be a product, as (reason, detail); None if it can."""
    if (why := unfit_id(record.id)) is not None:
        return "bad-id", why
    if len(record.category) > LONGEST_NAME:
        return "malformed-row", f"a category has at most {LONGEST_NAME} characters"
    if len(record.attributes) > MOST_COLUMNS:
        return "malformed-row", f"a product has at most {MOST_COLUMNS:,} attributes"
    for name, value in record.attributes.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            return "malformed-row", f"{name[:80]} has {len(value):,} characters; {LONGEST_TEXT:,} are allowed"
    if (size := size_of(record.attributes)) > LONGEST_WORDS:
        return "malformed-row", f"its attributes have {size:,} characters; {LONGEST_WORDS:,} are allowed"
    return None


def size_of(attributes: Mapping[str, Any]) -> int:
    """About how many characters attributes have, their names included."""
    return sum(
        len(name) + (len(value) if isinstance(value, str) else 8) for name, value in attributes.items()
    )


def harmless(text: str) -> str:
    """`text` with what would act on a terminal written out (`\\u001b`): control characters but the end of a line, and
    those that turn the direction of writing. Inside JSON they mean what they meant."""
    return _CONTROL_IN_LINES.sub(_written_out, text)


def one_line(text: str) -> str:
    """As `harmless`, the ends of lines written out too."""
    return _CONTROL.sub(_written_out, text)


def cell(text: str, longest: int = 500) -> str:
    """`text` for a cell of a CSV that people open in a spreadsheet: harmless, of bearable length, and never a formula.

    What a spreadsheet would compute, because it begins with =, +, - or @, gets an apostrophe before it.
    """
    shown = one_line(text)
    shown = shown if len(shown) <= longest else shown[: longest - 1] + "…"
    return "'" + shown if shown.lstrip().startswith(("=", "+", "-", "@")) else shown


def _written_out(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
