"""The command that opens the studio: serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modiste.cli import options

if TYPE_CHECKING:
    from modiste.shop.shop import Shop

Host = Annotated[str, typer.Option(metavar="HOST", help="The address to serve at; 0.0.0.0 for every one.")]
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
) -> None:
    """Open the studio: the page to design with, and the HTTP API. Ctrl-C ends it.

    \b
    modiste serve --shop my-shop
    modiste serve --shop my-shop --host 0.0.0.0 --port 8080 --allow-embed https://shop.example
    """
    from modiste.shop.shop import Shop
    from modiste.studio.security import check_origins

    origins = check_origins(allow_embed or ())
    open_studio(Shop.open(shop, need="map"), host, port, origins, threads)


def open_studio(
    shop: Shop, host: str, port: int, allow_embed: tuple[str, ...] = (), threads: int = 2
) -> None:
    """Serve an open shop until Ctrl-C, and say where. Raises BadOption where the address cannot be had."""
    from modiste.cli.output import console
    from modiste.studio.server import listen, serve, url_of
    from modiste.studio.state import Settings

    with listen(host, port) as held:
        console().print(f"The studio is open at {url_of(held)} (Ctrl-C ends it).", soft_wrap=True)
        serve(shop, held, Settings(allow_embed, threads))
