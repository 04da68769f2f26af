"""What commands print: JSON or tables on standard output, progress on standard error."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from modiste.shop.results import Matches
from modiste.sources.sanitize import escape_control_chars

MAX_ATTRIBUTES = 3
PIPE_WIDTH_CHARS = 160


class PlainConsole(Console):
    """A console to which texts are only texts: what a catalogue has in its words neither styles nor steers it."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(escape_control_chars(text), **options)


def console() -> Console:
    """Standard output as it is now; in a file or a pipe, wide enough that no table is cut."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH_CHARS
    return PlainConsole(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width)


def print_json(value: Any) -> None:
    """Print a value as JSON; numbers that JSON cannot hold become null."""
    sys.stdout.write(
        escape_control_chars(json.dumps(_replace_non_finite(value), indent=1, ensure_ascii=False, allow_nan=False))
        + "\n"
    )


def _replace_non_finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replace_non_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def matches_table(title: str, matches: Matches) -> Table:
    """Matches as a table, with the attributes that a person looks for first."""
    table = Table(title=title, title_justify="left", title_style="bold")
    names = _attribute_columns(matches)
    for name in ("id", "category", "cluster", "score", *names):
        table.add_column(name.replace("_", " "), justify="right" if name in ("cluster", "score") else "left")
    for match in matches:
        values = (match.id, match.category, str(match.cluster), f"{match.score:.4g}")
        shown = (str(match.attributes.get(name, "")) for name in names)
        table.add_row(*values, *shown)
    return table


def _attribute_columns(matches: Matches) -> list[str]:
    names = list(dict.fromkeys(name for match in matches for name in match.attributes))
    first = [name for name in ("name", "article_type", "base_colour") if name in names]
    return (first + [name for name in names if name not in first])[:MAX_ATTRIBUTES]
