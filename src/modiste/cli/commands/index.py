"""The command that lays out the search index: index."""

from __future__ import annotations

from typing import Annotated

import typer

from modiste.cli import options


def index(
    shop: options.ShopPath,
    tau: Annotated[
        float | None,
        typer.Option(
            metavar="T",
            help="How uncertain a start is taken to be, for the likelihood, where a question does not say; "
            "0 is the paper's method. Kept for the shop.",
        ),
    ] = None,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Lay out the shop's search index anew, and set the uncertainty that its likelihood takes designs to have.

    `cluster` does the first by itself. Nothing is encoded again.

    \b
    modiste index --shop my-shop
    modiste index --shop my-shop --tau 0.15
    """
    from modiste.cli.output import console, print_json
    from modiste.pipeline.index import index_shop

    with options.open_executor(ray) as fleet:
        made = index_shop(shop, tau=tau, executor=fleet)
    if json:
        print_json(made)
        return
    sizes = ", ".join(f"{name} {size:.0f}" for name, size in made["bytes_per_product"].items())
    console().print(
        f"{made['products']:,} products laid out, {made['products_per_second']:,.0f} a second, "
        f"for τ = {made['tau']:g}; bytes per product: {sizes}.",
        soft_wrap=True,
    )
