"""The command that checks a machine or a shop: doctor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from typer import Exit, Option

from modiste.cli import options
from modiste.cli.output import make_table, print_result
from modiste.cli.progress_bars import ProgressBars
from modiste.errors import BadOption, ShopError

if TYPE_CHECKING:
    from rich.table import Table

LABELS = {
    "memory_gb": "memory, GB",
    "search_100000_products_ms": "search of 100,000 products, ms",
    "jpegs_decoded_per_second": "180x240 JPEGs decoded per second, one thread",
    "memory_read_gb_per_second": "memory read, GB/s, one thread",
}


def doctor(
    shop: Annotated[str | None, Option(metavar="DIR|URL", help="Check this shop instead of the machine.")] = None,
    repair: Annotated[
        bool, Option("--repair", help="Rebuild derived files and remove unfinished ones. Needs --shop.")
    ] = False,
    json: options.JsonOutput = False,
) -> None:
    """Describe this machine and measure its speed in training, decoding and search; or check a shop.

    The measurements take some seconds. They include the training configurations that `modiste train` chooses from.

    With --shop, it checks every file of the shop against what the file was made from. --repair rebuilds derived files,
    and stages that do not match the products or the model, with the same clustering options. It never changes products,
    models, or damaged files that cannot be rebuilt exactly. The exit code is 4 if something is still broken.

    Examples:
      modiste doctor
      modiste doctor --json
      modiste doctor --shop my-shop
      modiste doctor --shop my-shop --repair
    """
    if shop is not None:
        _check_shop(shop, repair, json)
        return
    if repair:
        raise BadOption("`--repair` needs `--shop`.", remedy="Add --shop DIR, or remove --repair.")
    from modiste.pipeline.doctor.machine import inspect_machine

    with ProgressBars(quiet=json) as bars:
        result = inspect_machine(on_progress=bars)
    shown: list[Any] = [_machine_table(result)]
    if result["training"] is not None:
        shown.append(_training_table(result["training"]))
    print_result(result, *shown, *(f"- {advice}" for advice in result["advice"]), as_json=json)


def _check_shop(shop: str, repair: bool, json: bool) -> None:
    """Check a shop and print its faults. Raises Exit if something is still broken."""
    from modiste.pipeline.doctor.repair import check_and_repair

    with ProgressBars(quiet=json) as bars:
        result = check_and_repair(shop, repair=repair, on_progress=bars)
    print_result(result, *_fault_lines(result, repair), as_json=json)
    if not result["intact"]:
        raise Exit(ShopError.exit_code)


def _fault_lines(result: dict[str, Any], repair: bool) -> Iterator[str]:
    for fault in result["faults"]:
        kind = "repaired" if fault["repaired"] else "broken" if fault["broken"] else "note"
        yield f"{kind:<8}  {fault['where']}: {fault['message']}"
        if not fault["repaired"]:
            yield f"{'':<8}  {fault['remedy']}"
    verdict = "Nothing is broken" if result["intact"] else "Something is broken"
    freed = f"; the repair freed {result['freed'] / 1e6:,.1f} MB" if repair else ""
    yield f"{verdict} in {result['shop']}, {result['bytes'] / 1e6:,.1f} MB{freed}."


def _machine_table(result: dict[str, Any]) -> Table:
    rows = (
        (LABELS.get(name, name), f"{value:,.1f}" if isinstance(value, float) else "-" if value is None else value)
        for name, value in (result["machine"] | result["speed"]).items()
    )
    return make_table("This machine", ("", ""), rows)


def _training_table(training: dict[str, Any]) -> Table:
    settings = tuple(training["chosen"])
    rows = (
        (
            *(each[name] for name in settings),
            f"{each['images_per_second']:,.0f}",
            "chosen" if all(each[name] == value for name, value in training["chosen"].items()) else "",
        )
        for each in training["ways"]
    )
    columns = (*(name.replace("_", " ") for name in settings), "photos/s", "")
    return make_table("Training configurations", columns, rows, numeric=columns)
