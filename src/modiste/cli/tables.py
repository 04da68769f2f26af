"""The evaluation's figures as tables, whatever columns and methods it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text


def evaluation_tables(result: dict[str, Any]) -> Iterator[Table]:
    """One table per part of an evaluation: a line per figure, its path in the JSON as its name."""
    for part, figures in result.items():
        lines = list(_leaves(figures)) if isinstance(figures, dict) else []
        if not lines:
            continue
        table = Table(title=Text(part), title_justify="left", title_style="bold")
        table.add_column("figure")
        table.add_column("value", justify="right")
        for path, value in lines:
            table.add_row(Text(path), Text(f"{value:.4g}" if isinstance(value, float) else str(value)))
        yield table


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path} {key}".strip())
    elif isinstance(value, (int, float, str)):
        yield path, value
