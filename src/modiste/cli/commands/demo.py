"""The command that shows everything on the sample catalogue: demo."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from modiste.cli import options
from modiste.cli.commands.serve import Host, Port, print_url
from modiste.cli.progress_bars import ProgressBars


def demo(
    shop: Annotated[str, typer.Option("--shop", metavar="DIR|URL", help="Where to make the shop.")] = "demo-shop",
    report: Annotated[Path, typer.Option(metavar="FILE.html", help="Where to write the report.")] = Path(
        "demo-report.html"
    ),
    minutes: options.Minutes = 3.0,
    host: Host = None,
    port: Port = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Make and show, and leave it at that.")] = False,
    json: options.JsonOutput = False,
) -> None:
    """Make a shop of the sample catalogue, ask it, write a report, and open the studio. Again, it keeps what is made.

    With --json nothing is opened: the command ends.

    \b
    modiste demo
    modiste demo --shop /tmp/demo --no-serve --json
    """
    from modiste.cli.output import console, matches_table, print_json
    from modiste.evaluate import evaluate
    from modiste.evaluate.report.html import write_report
    from modiste.pipeline.build import build
    from modiste.server.run import browser_url, listen, serve_shop
    from modiste.server.settings import load_settings
    from modiste.shop.shop import Shop

    # Before the minutes of making: a port that is taken is better known now.
    settings = load_settings(host=host, port=port)
    held = None if no_serve or json else listen(settings.host, settings.port)
    began = time.monotonic()
    with ProgressBars(quiet=json) as bars:
        made = build("sample", shop, minutes=minutes, threads=2, on_progress=bars)
        opened = Shop.open(shop, threads=2)
        product = opened.catalogue.ids[0]
        code = opened.code_of(product)
        matches: Any = opened.similar(code, 5, "fixed-epsilon", exclude=(product,))
        recommendations: Any = opened.recommend(code, 3, "fixed-epsilon")
        write_report(opened, evaluate(opened, per_category=100, on_progress=bars), report)
    seconds = time.monotonic() - began
    if json:
        print_json(
            {
                "shop": str(shop),
                "products": len(opened.catalogue),
                "model": made["model"],
                "query": {"product": product, "code": code.tolist(), "cluster": opened.cluster_of(code)},
                "results": [match.to_dict() for match in matches],
                "recommendations": [each.to_dict() for each in recommendations],
                "report": str(report),
                "seconds": round(seconds, 1),
            }
        )
        return
    console().print(matches_table(f"Similar to {product}", matches))
    for each in recommendations:
        console().print(matches_table(f"Goes with it: {each.label}", each.matches))
    console().print(f"The report is {report}. ({seconds:.0f} s)", soft_wrap=True)
    if held is not None:
        print_url(browser_url(held))
        serve_shop(held, Shop.open(shop, need="map"), settings)
