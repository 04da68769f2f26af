"""The evaluation's tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from modiste.evaluate.pages import Page, pages


def evaluation_tables(result: dict[str, Any]) -> Iterator[Table]:
    """A Rich table for each part of a result of `evaluate`."""
    for page in pages(result):
        yield _table(page)


def print_tables(result: dict[str, Any], console: Console) -> None:
    """Print every table of a result of `evaluate`, how to read each, and what was cut short."""
    for table in evaluation_tables(result):
        console.print(table)
        console.print()
    for note in result["notes"]:
        console.print(Text(f"Note: {note}"), soft_wrap=True)


def _table(page: Page) -> Table:
    table = Table(
        title=Text(page.title),
        title_justify="left",
        title_style="bold",
        caption=Text(page.note) if page.note else None,
        caption_justify="left",
    )
    for number, column in enumerate(page.columns):
        table.add_column(Text(column), justify="right" if number else "left")
    for row in page.rows:
        faint = row[0].startswith("  ")
        table.add_row(*(Text(cell) for cell in row), style="dim" if faint else None)
    return table
