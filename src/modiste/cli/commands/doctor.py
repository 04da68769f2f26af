"""The command that looks a machine over, or a shop: doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from modiste.cli import options
from modiste.cli.progress_bars import ProgressBars
from modiste.errors import BadOption, ShopError

if TYPE_CHECKING:
    from rich.table import Table

LABELS = {
    "memory_gb": "memory, GB",
    "search_100000_products_ms": "search of 100,000 products, ms",
    "jpegs_decoded_per_second": "JPEGs of 180x240 decoded by a thread, per second",
    "memory_read_gb_per_second": "memory read by a thread, GB/s",
}


def doctor(
    shop: Annotated[
        str | None, typer.Option(metavar="DIR|URL", help="Look this shop over instead of the machine.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what is derived, and remove what was left unfinished.")
    ] = False,
    json: options.JsonOutput = False,
) -> None:
    """Say what this machine has, and measure how fast it trains, draws and searches; or look a shop over.

    Takes some seconds. Training runs the fastest way found here, which it measures for itself when it starts.

    Of a shop, every part is read and held against what it was made from. --repair makes again what is derived, and what
    no longer fits the products or the model, clusters as they were asked for; it never changes products or models, nor
    what is damaged and cannot be made the same again. The command ends with 4 where something broken is left.

    \b
    modiste doctor
    modiste doctor --json
    modiste doctor --shop my-shop
    modiste doctor --shop my-shop --repair
    """
    from modiste.cli.output import console, print_json

    if shop is not None:
        _check_shop(shop, repair, json)
        return
    if repair:
        raise BadOption("--repair goes with --shop only.", remedy="Leave it out, or say which shop.")
    from modiste.pipeline.doctor.machine import inspect_machine

    with ProgressBars(quiet=json) as bars:
        found = inspect_machine(on_progress=bars)
    if json:
        print_json(found)
        return
    console().print(_machine_table(found))
    if found["training"] is not None:
        console().print(_training_table(found["training"]))
    for advice in found["advice"]:
        typer.echo(f"- {advice}")


def _check_shop(shop: str, repair: bool, json: bool) -> None:
    """Look a shop over and say what was found. Raises typer.Exit where something broken is left."""
    from modiste.cli.output import print_json
    from modiste.pipeline.doctor.repair import check_and_repair

    with ProgressBars(quiet=json) as bars:
        found = check_and_repair(shop, repair=repair, on_progress=bars)
    if json:
        print_json(found)
    else:
        for fault in found["faults"]:
            kind = "mended" if fault["mended"] else "broken" if fault["broken"] else "note"
            typer.echo(f"{kind}  {fault['where']}: {fault['says']}")
            if not fault["mended"]:
                typer.echo(f"        {fault['remedy']}")
        freed = f"; {found['freed'] / 1e6:,.1f} MB were given back" if repair else ""
        verdict = "Something is broken" if not found["sound"] else "Nothing is broken"
        typer.echo(f"{verdict} in {found['shop']}, {found['bytes'] / 1e6:,.1f} MB{freed}.")
    if not found["sound"]:
        raise typer.Exit(ShopError.exit_code)


def _machine_table(found: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="This machine", title_justify="left", title_style="bold", show_header=False)
    table.add_column("what")
    table.add_column("value")
    for name, value in (found["machine"] | found["speed"]).items():
        shown = f"{value:,.1f}" if isinstance(value, float) else "-" if value is None else str(value)
        table.add_row(LABELS.get(name, name), shown)
    return table


def _training_table(found: dict[str, Any]) -> Table:
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
