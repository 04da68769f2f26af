"""The command that measures: evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modiste.cli import options
from modiste.cli.progress_bars import ProgressBars


def evaluate(
    shop: options.ShopPath,
    queries: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Ask with the photos of this source, unseen ones.")
    ] = None,
    per_category: Annotated[int, typer.Option(metavar="N", help="Questions per category.", min=1)] = 500,
    seed: options.Seed = 0,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a report with pictures.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Write a sheet: photo, drawn, nearest, what goes with it.")
    ] = None,
    json: options.JsonOutput = False,
) -> None:
    """The paper's tables for this shop, beside the paper's figures and beside simpler methods.

    \b
    modiste evaluate --shop my-shop
    modiste evaluate --shop my-shop --queries ~/new-photos --report report.html
    modiste evaluate --shop my-shop --sheet sheet.png --json
    """
    from modiste.cli.output import console, print_json
    from modiste.evaluate import evaluate as run
    from modiste.evaluate.report.terminal import print_tables
    from modiste.shop.contact_sheets import check_image_suffix, quality_sheet, save_image
    from modiste.shop.shop import Shop

    if sheet is not None:
        check_image_suffix(sheet)
    opened = Shop.open(shop)
    with ProgressBars(quiet=json) as bars:
        result = run(opened, queries=queries, per_category=per_category, seed=seed, on_progress=bars)
        if report is not None:
            from modiste.evaluate.report.html import write_report

            write_report(opened, result, report)
        if sheet is not None:
            from modiste.evaluate.report.figures import sample_products

            save_image(sheet, quality_sheet(opened, sample_products(opened, seed)))
    if json:
        print_json(result)
        return
    print_tables(result, console())
    for path in (report, sheet):
        if path is not None:
            console().print(f"Wrote {path}.", soft_wrap=True)
