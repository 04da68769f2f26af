"""Output of the commands: JSON, or text and tables, on standard output."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from modiste.sources.sanitize import escape_control_chars

if TYPE_CHECKING:
    from modiste.shop.results import Matches

FIRST_ATTRIBUTES = ("name", "article_type", "base_colour")
MAX_ATTRIBUTES = 3
PIPE_WIDTH_CHARS = 160


class PlainConsole(Console):
    """A console that prints strings as they are: markup and control characters in a catalogue have no effect."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as text, its control characters escaped."""
        return super().render_str(escape_control_chars(text), **options)


def console() -> Console:
    """Return a console on standard output; in a file or a pipe it is wide enough for every table."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH_CHARS
    return PlainConsole(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width)


def print_result(result: Any, *shown: RenderableType, as_json: bool) -> None:
    """Print a result as JSON, or what is shown of it to people: lines of text and tables."""
    if as_json:
        print_json(result)
    else:
        for each in shown:
            console().print(each, soft_wrap=isinstance(each, str))
    sys.stdout.flush()  # a program that starts a server reads its address from a pipe


def print_json(value: Any) -> None:
    """Print a value as JSON; numbers that JSON cannot represent become null."""
    text = json.dumps(_replace_non_finite(value), indent=1, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(escape_control_chars(text) + "\n")


def _replace_non_finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replace_non_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def make_table(
    title: str, columns: Sequence[str], rows: Iterable[Iterable[object]], numeric: Container[str] = (), note: str = ""
) -> Table:
    """Return a table with a note below it.

    The columns in `numeric` are aligned right; columns without names have no header. A row whose first cell is indented
    is dim.
    """
    table = Table(title=title, title_justify="left", title_style="bold", show_header=any(columns))
    table.caption, table.caption_justify = note or None, "left"
    for name in columns:
        table.add_column(name, justify="right" if name in numeric else "left")
    for row in rows:
        cells = [str(cell) for cell in row]
        table.add_row(*cells, style="dim" if cells[0].startswith("  ") else None)
    return table


def matches_table(title: str, matches: Matches) -> Table:
    """Return matches as a table, with up to MAX_ATTRIBUTES attributes."""
    names = dict.fromkeys(name for match in matches for name in match.attributes)
    first = [name for name in FIRST_ATTRIBUTES if name in names]
    attributes = (first + [name for name in names if name not in first])[:MAX_ATTRIBUTES]
    rows = [
        [match.id, match.category, match.cluster, f"{match.score:.4g}"]
        + [match.attributes.get(name, "") for name in attributes]
        for match in matches
    ]
    columns = ["id", "category", "cluster", "score", *(name.replace("_", " ") for name in attributes)]
    return make_table(title, columns, rows, numeric=("cluster", "score"))
