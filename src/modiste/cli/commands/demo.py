"""The command that shows everything on the sample catalogue: demo."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from modiste.cli import options
from modiste.cli.output import matches_table, print_result
from modiste.cli.progress_bars import ProgressBars


def demo(
    shop: Annotated[str, Option("--shop", metavar="DIR|URL", help="The shop to build.")] = "demo-shop",
    report: Annotated[Path, Option(metavar="FILE.html", help="HTML report to write.")] = Path("demo-report.html"),
    minutes: options.Minutes = 3.0,
    host: options.Host = None,
    port: options.Port = None,
    no_serve: Annotated[bool, Option("--no-serve", help="Exit instead of serving the studio.")] = False,
    json: options.JsonOutput = False,
) -> None:
    """Build a shop from the sample catalogue, query it, write a report, and serve the studio.

    A second run keeps the finished shop. With --json, the command exits without serving.

    Examples:
      modiste demo
      modiste demo --shop /tmp/demo --no-serve --json
    """
    from modiste.evaluate import evaluate
    from modiste.evaluate.report.html import write_report
    from modiste.pipeline.build import build
    from modiste.server.run import browser_url, listen, serve_shop
    from modiste.server.settings import load_settings
    from modiste.shop.shop import Shop

    # First, so that a port in use is reported before the shop is built.
    settings = load_settings(host=host, port=port)
    listener = None if no_serve or json else listen(settings.host, settings.port)
    start = time.monotonic()
    with ProgressBars(quiet=json) as bars:
        summary = build("sample", shop, minutes=minutes, threads=2, on_progress=bars)
        opened = Shop.open(shop, threads=2)
        product = opened.catalogue.ids[0]
        code = opened.code_of(product)
        matches: Any = opened.similar(code, 5, "fixed-epsilon", exclude=(product,))
        recommendations: Any = opened.recommend(code, 3, "fixed-epsilon")
        write_report(opened, evaluate(opened, per_category=100, on_progress=bars), report)
    seconds = time.monotonic() - start
    result = {
        "shop": shop,
        "products": len(opened.catalogue),
        "model": summary["model"],
        "query": {"product": product, "code": code.tolist(), "cluster": opened.cluster_of(code)},
        "results": [match.to_dict() for match in matches],
        "recommendations": [each.to_dict() for each in recommendations],
        "report": str(report),
        "seconds": round(seconds, 1),
    }
    tables = [matches_table(f"Similar to {product}", matches)]
    tables += [matches_table(f"Recommended with it: {each.label}", each.matches) for each in recommendations]
    print_result(result, *tables, f"Wrote {report} after {seconds:.0f} s.", as_json=json)
    if listener is not None:
        print_result({}, f"Studio: {browser_url(listener)} (press Ctrl-C to stop)", as_json=False)
        serve_shop(listener, Shop.open(shop, need="map"), settings)
