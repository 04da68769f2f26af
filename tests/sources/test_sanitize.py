"""Untrusted text stays text: in a terminal, in JSON, in a spreadsheet."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.sources.record import Record
from modiste.sources.sanitize import (
    MAX_COLUMNS,
    MAX_NAME_CHARS,
    MAX_TEXT_CHARS,
    csv_safe,
    escape_control_chars,
    escape_to_one_line,
    record_problem,
)

GOOD = Record("p1", "hats", b"", {"name": "A hat"})


@pytest.mark.parametrize(
    "id_",
    [
        *("../../etc/passwd", "C:\\x", "/abs", "..", "=cmd|'/C calc'!A0", "@SUM(A1)", "+1", "a b", "Größe", "帽子"),
        *("👩\u200d🦰", "screenshot at 3.04\u202fPM", "x" * MAX_NAME_CHARS),
    ],
)
def test_any_printable_id_is_allowed(id_: str) -> None:
    assert record_problem(replace(GOOD, id=id_)) is None


@pytest.mark.parametrize(
    "id_", ["", "a\0b", "a\nb", "a\tb", "\x1b[31m", "\x9b31m", "\u202eabc", "a\u2066", "a\u2028b", "\udcff", "x" * 513]
)
def test_empty_long_and_control_character_ids_are_rejected(id_: str) -> None:
    problem = record_problem(replace(GOOD, id=id_))
    assert problem is not None
    assert problem[0] == "bad_id"


@pytest.mark.parametrize(
    "changed",
    [
        {"category": "x" * (MAX_NAME_CHARS + 1)},
        {"attributes": {"name": "x" * (MAX_TEXT_CHARS + 1)}},
        {"attributes": {f"c{n}": n for n in range(MAX_COLUMNS + 1)}},
    ],
)
def test_oversized_records_are_rejected(changed: dict[str, Any]) -> None:
    problem = record_problem(replace(GOOD, **changed))
    assert problem is not None
    assert problem[0] == "malformed_row"


def affects_terminal(text: str) -> bool:
    """Return whether a terminal would do something other than display the text."""
    return any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"
        for c in text
    )


@given(st.text())
def test_escaped_text_is_inert_and_equal_inside_json(text: str) -> None:
    assert not affects_terminal(escape_to_one_line(text))
    assert not affects_terminal(escape_control_chars(text).replace("\n", ""))
    assert json.loads(escape_control_chars(json.dumps({text: text}, ensure_ascii=False, indent=1))) == {text: text}
    if not affects_terminal(text):
        assert escape_to_one_line(text) == escape_control_chars(text) == text


@given(st.text(st.sampled_from("=+-@'\t\r\n \x1bab\u202e"), max_size=600))
def test_csv_cell_is_never_a_formula(text: str) -> None:
    shown = csv_safe(text)
    assert not shown.lstrip().startswith(("=", "+", "-", "@"))
    assert not affects_terminal(shown)
    assert len(shown) <= 501


def test_plain_csv_cell_is_unchanged() -> None:
    for text in ("A-1", "bags/tote 7", "'quoted'", "", "3 fields where the header has 4"):
        assert csv_safe(text) == text
    assert csv_safe("=1+1") == "'=1+1"
    assert csv_safe("\x1b[31m") == "\\u001b[31m"
