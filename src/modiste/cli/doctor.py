"""The command that looks the machine over: doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from modiste.cli import options
from modiste.cli.bars import Bars

if TYPE_CHECKING:
    from rich.table import Table

UNITS = {
    "memory_gb": "memory, GB",
    "search_100000_products_ms": "search of 100,000 products, ms",
    "jpegs_decoded_per_second": "JPEGs of 180x240 decoded by a thread, per second",
    "memory_read_gb_per_second": "memory read by a thread, GB/s",
}


def doctor(json: options.AsJson = False) -> None:
    """Say what this machine has, and measure how fast it trains, draws and searches.

    Takes some seconds. Training runs the fastest way found here, which it measures for itself when it starts.

    \b
    modiste doctor
    modiste doctor --json
    """
    from modiste.cli.output import console, print_json
    from modiste.shop.doctoring import examine

    with Bars(quiet=json) as bars:
        found = examine(on_progress=bars)
    if json:
        print_json(found)
        return
    console().print(_machine(found))
    if found["training"] is not None:
        console().print(_training(found["training"]))
    for advice in found["advice"]:
        typer.echo(f"- {advice}")


def _machine(found: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="This machine", title_justify="left", title_style="bold", show_header=False)
    table.add_column("what")
    table.add_column("value")
    for name, value in (found["machine"] | found["speed"]).items():
        shown = f"{value:,.1f}" if isinstance(value, float) else "-" if value is None else str(value)
        table.add_row(UNITS.get(name, name), shown)
    return table


def _training(found: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="Training", title_justify="left", title_style="bold")
    for name in ("threads", "bfloat16", "channels last", "batch", "photos/s"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in found["ways"]:
        chosen = all(each[name] == found["chosen"][name] for name in ("threads", "bfloat16", "channels_last"))
        mark = "chosen" if chosen and each["batch_size"] == found["chosen"]["batch_size"] else ""
        numbers = (each["threads"], each["bfloat16"], each["channels_last"], each["batch_size"])
        table.add_row(*map(str, numbers), f"{each['images_per_second']:,.0f}", mark)
    return table
