"""The evaluation's tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from modiste.evaluate.report.tables import ResultTable, result_tables
from modiste.sources.sanitize import escape_control_chars


def rich_tables(result: dict[str, Any]) -> Iterator[Table]:
    """A Rich table for each part of a result of `evaluate`."""
    for page in result_tables(result):
        yield _rich_table(page)


def print_tables(result: dict[str, Any], console: Console) -> None:
    """Print every table of a result of `evaluate`, how to read each, and what was cut short."""
    for table in rich_tables(result):
        console.print(table)
        console.print()
    for note in result["notes"]:
        console.print(_plain_text(f"Note: {note}"), soft_wrap=True)


def _rich_table(page: ResultTable) -> Table:
    table = Table(
        title=_plain_text(page.title),
        title_justify="left",
        title_style="bold",
        caption=_plain_text(page.note) if page.note else None,
        caption_justify="left",
    )
    for number, column in enumerate(page.columns):
        table.add_column(_plain_text(column), justify="right" if number else "left")
    for row in page.rows:
        faint = row[0].startswith("  ")
        table.add_row(*(_plain_text(cell) for cell in row), style="dim" if faint else None)
    return table


def _plain_text(words: str) -> Text:
    """Words of a catalogue among them, which neither style nor steer a terminal."""
    return Text(escape_control_chars(words))
