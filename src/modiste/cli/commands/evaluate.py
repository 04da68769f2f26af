"""The command that evaluates a shop: evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from rich.console import RenderableType
from typer import Option

from modiste.cli import options
from modiste.cli.output import make_table, print_result
from modiste.cli.progress_bars import ProgressBars


def evaluate(
    shop: options.ShopPath,
    queries: Annotated[
        str | None,
        Option(metavar="SOURCE", help="Source of unseen photos to query with.", show_default="products of the shop"),
    ] = None,
    per_category: Annotated[int, Option(metavar="N", help="Queries per category.", min=1)] = 500,
    seed: options.Seed = 0,
    report: Annotated[Path | None, Option(metavar="FILE.html", help="Also write an HTML report with pictures.")] = None,
    sheet: options.Sheet = None,
    json: options.JsonOutput = False,
) -> None:
    """Compute the paper's tables for this shop, next to the paper's figures and to baselines.

    Examples:
      modiste evaluate --shop my-shop
      modiste evaluate --shop my-shop --queries ~/new-photos --report report.html
      modiste evaluate --shop my-shop --sheet sheet.png --json
    """
    from modiste.evaluate import evaluate as evaluate_shop
    from modiste.evaluate.report.figures import sample_products
    from modiste.evaluate.report.html import write_report
    from modiste.evaluate.report.tables import result_tables
    from modiste.shop.contact_sheets import quality_sheet, save_image, sheet_mark
    from modiste.shop.shop import Shop

    opened = Shop.open(shop)
    with ProgressBars(quiet=json) as bars:
        result = evaluate_shop(opened, queries=queries, per_category=per_category, seed=seed, on_progress=bars)
        if report is not None:
            write_report(opened, result, report)
        if sheet is not None:
            save_image(sheet, quality_sheet(opened, sample_products(opened, seed)), sheet_mark(opened))
    shown: list[RenderableType] = []
    for each in result_tables(result):
        shown += [make_table(each.title, each.columns, each.rows, numeric=each.columns[1:], note=each.note), ""]
    shown += [f"Note: {note}" for note in result["notes"]]
    shown += [f"Wrote {path}." for path in (report, sheet) if path is not None]
    print_result(result, *shown, as_json=json)
