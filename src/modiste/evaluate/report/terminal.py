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
    """Yield a Rich table for each part of a result of `evaluate`."""
    for table in result_tables(result):
        yield _rich_table(table)


def print_tables(result: dict[str, Any], console: Console) -> None:
    """Print every table of a result of `evaluate`, with explanations, and the notes."""
    for table in rich_tables(result):
        console.print(table)
        console.print()
    for note in result["notes"]:
        console.print(_plain_text(f"Note: {note}"), soft_wrap=True)


def _rich_table(table: ResultTable) -> Table:
    rich_table = Table(
        title=_plain_text(table.title),
        title_justify="left",
        title_style="bold",
        caption=_plain_text(table.note) if table.note else None,
        caption_justify="left",
    )
    for number, column in enumerate(table.columns):
        rich_table.add_column(_plain_text(column), justify="right" if number else "left")
    for row in table.rows:
        is_comparison = row[0].startswith("  ")
        rich_table.add_row(*(_plain_text(cell) for cell in row), style="dim" if is_comparison else None)
    return rich_table


def _plain_text(text: str) -> Text:
    """Return text without markup and control characters: it may contain words of the catalogue."""
    return Text(escape_control_chars(text))
