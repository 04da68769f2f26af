"""The command that opens the studio: serve."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from modiste.cli import options

Host = Annotated[str, typer.Option(metavar="HOST", help="The address to serve at; 0.0.0.0 for all of them.")]
Port = Annotated[
    int, typer.Option(metavar="PORT", help="The port to serve at; 0 takes a free one.", min=0, max=65535)
]


def serve(
    shop: options.ShopPath,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    allow_embed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN", help="Who may show /embed in a frame, such as https://shop.example; repeatable."
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(metavar="T", help="How many pictures are drawn at once.", min=1, max=64)
    ] = 2,
    json: options.AsJson = False,
) -> None:
    """Open the studio: the page to design with, and the HTTP API. Ctrl-C ends it.

    \b
    modiste serve --shop my-shop
    modiste serve --shop my-shop --host 0.0.0.0 --port 8080 --allow-embed https://shop.example
    """
    from modiste.cli.output import print_json
    from modiste.shop.shop import Shop
    from modiste.studio.security import check_origins
    from modiste.studio.server import listen, serve_on, url_of
    from modiste.studio.state import Settings

    origins = check_origins(allow_embed or ())
    with listen(host, port) as held:
        opened = Shop.open(shop, need="map")
        url = url_of(held)
        if json:
            model, products = opened.model.model_id, len(opened.catalogue)
            print_json({"url": url, "shop": str(shop), "model": model, "products": products})
        else:
            announce(url)
        sys.stdout.flush()  # whoever reads it through a pipe waits for it
        serve_on(held, opened, Settings(origins, threads))


def announce(url: str) -> None:
    """Tell a person where the studio is."""
    from modiste.cli.output import console

    console().print(f"The studio is open at {url} (Ctrl-C ends it).", soft_wrap=True)
