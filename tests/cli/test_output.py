"""Tables and messages print the text of a catalogue literally: no markup, no control characters."""

from __future__ import annotations

import json

import pytest
from rich.table import Table

from modiste.cli.output import console, matches_table, print_json
from modiste.shop.results import Match, Matches

EVIL = "\x1b[2J\x9b31m[bold]:smile:[/nothing]\u202e\ud800"
SHOWN = "\\u001b[2J\\u009b31m[bold]:smile:[/nothing]\\u202e\\ud800"


def test_table_of_matches_escapes_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    evil, shown = "\x1b[2J[/b]\u202e", "\\u001b[2J[/b]\\u202e"
    match = Match(evil, evil, 0, 1.0, {"name": evil}, lambda _: b"")
    console().print(matches_table(f"Similar to {evil}", Matches([match])))
    assert capsys.readouterr().out.count(shown) == 4


def test_tables_and_text_escape_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(EVIL, title=EVIL)
    table.add_row(EVIL)
    console().print(table, width=300)
    console().print(f"Wrote {EVIL}.\nDone.", soft_wrap=True)
    out = capsys.readouterr().out
    assert out.count(SHOWN) == 4
    assert out.endswith(".\nDone.\n")


def test_json_escapes_control_characters_and_parses_to_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({EVIL: [EVIL, float("nan")]})
    out = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\u202e", "\ud800"} & set(out)
    assert json.loads(out) == {EVIL: [EVIL, None]}
