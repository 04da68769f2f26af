"""The commands that open the studio: serve, and key for those who may change the shop through it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modiste.cli import options

if TYPE_CHECKING:
    from modiste.server.versions import BackendFactory
    from modiste.shop.shop import Shop

Host = Annotated[
    str | None,
    typer.Option(metavar="HOST", help="The address to serve at, 127.0.0.1 if left out; 0.0.0.0 for all of them."),
]
Port = Annotated[
    int | None,
    typer.Option(metavar="PORT", help="The port to serve at, 8000 if left out; 0 takes a free one.", min=0, max=65535),
]


def serve(
    shop: options.ShopPath,
    host: Host = None,
    port: Port = None,
    allow_embed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN", help="Who may show /embed in a frame, such as https://shop.example; repeatable."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="T", help="How many pictures are drawn at once, 2 if left out.", min=1, max=64)
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT|auto",
            help="The Ray cluster, joined from one of its machines, whose shards of this shop look for products.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings, a table [serve]; modiste.toml here, if there is one.")
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print all settings as they would be, and end.")
    ] = False,
    json: options.JsonOutput = False,
) -> None:
    """Open the studio: the page to design with, and the HTTP API. Ctrl-C ends it.

    Options come first, then the environment (MODISTE_PORT=8080), then the file.

    \b
    modiste serve --shop my-shop
    modiste serve --shop my-shop --host 0.0.0.0 --port 8080 --allow-embed https://shop.example
    modiste serve --shop s3://bucket/my-shop --ray 10.0.0.1:6379
    modiste serve --shop my-shop --print-config > modiste.toml
    """
    from modiste.cli.output import print_json
    from modiste.server.settings import load_settings

    embedding = tuple(allow_embed) if allow_embed else None
    settings = load_settings(config, host=host, port=port, allow_embed=embedding, threads=threads, ray=ray)
    if print_config:
        if json:
            print_json(settings.redacted())
        else:
            sys.stdout.write(settings.to_toml())
        return

    from modiste.server.run import browser_url, listen, serve_shop
    from modiste.shop.shop import Shop

    with listen(settings.host, settings.port) as held, _shard_backend(shop, settings.ray) as looks_for:
        opened = _open_during_change(shop, settings.threads) if settings.admin_key else Shop.open(shop, need="map")
        url = browser_url(held)
        if json:
            model, products = opened.model.model_id, len(opened.catalogue)
            print_json({"url": url, "shop": str(shop), "model": model, "products": products})
        else:
            print_url(url)
        sys.stdout.flush()  # whoever reads it through a pipe waits for it
        serve_shop(held, opened, settings, looks_for)


@contextmanager
def _shard_backend(shop: str, cluster: str) -> Generator[BackendFactory | None]:
    """What looks for products by the shards of a shop that run on a cluster; None without one."""
    if not cluster:
        yield None
        return
    from modiste.distributed.ray_session import LOCAL_ADDRESS, connect
    from modiste.errors import BadOption

    if cluster == LOCAL_ADDRESS:
        raise BadOption(
            "A cluster that is started here has no shards.",
            remedy="Give the address of one where `modiste shards` has set them up.",
        )
    with connect(cluster):
        from modiste.distributed.shard_client import ShardClient
        from modiste.distributed.shard_fallback import DEADLINE_SECONDS, FallbackBackend

        front = ShardClient(shop, DEADLINE_SECONDS)
        try:
            yield partial(FallbackBackend, front)
        finally:
            front.close()


def _open_during_change(path: str, threads: int) -> Shop:
    """Open the shop to be served, also where a server was stopped before it had brought a change up to date.

    It is then opened as it was before the change, and the server brings it up to date. If that cannot be, it is brought
    up to date first.
    """
    from modiste.cli.progress_bars import ProgressBars
    from modiste.errors import ShopError, ShopIncomplete, StaleError
    from modiste.pipeline.product_changes import refresh_shop
    from modiste.shop.shop import Shop

    try:
        return Shop.open(path, need="map")
    except (StaleError, ShopIncomplete):
        pass
    try:
        return Shop.open(path, need="map", earlier=True)
    except ShopError:
        with ProgressBars(quiet=True) as bars:
            refresh_shop(path, threads=threads, on_progress=bars)
    return Shop.open(path, need="map")


def key(json: options.JsonOutput = False) -> None:
    """Make a key for /v1/admin: it is shown once; the server is given its hash.

    \b
    modiste key
    MODISTE_ADMIN_KEY=sha256:... modiste serve --shop my-shop
    curl -H "Authorization: Bearer KEY" http://127.0.0.1:8000/v1/admin
    """
    from modiste.cli.output import print_json
    from modiste.server.auth import new_key

    made, hashed = new_key()
    if json:
        print_json({"key": made, "hash": hashed})
        return
    sys.stdout.write(
        f"key   {made}\nhash  {hashed}\n\n"
        "Keep the key where only those find it who may change the shop; it is nowhere else.\n"
        "Give the server the hash: as MODISTE_ADMIN_KEY, or MODISTE_READ_KEY for those who may only look,\n"
        "or as admin_key or read_key in [serve] of modiste.toml.\n"
    )


def print_url(url: str) -> None:
    """Tell a person where the studio is."""
    from modiste.cli.output import console

    console().print(f"The studio is open at {url} (Ctrl-C ends it).", soft_wrap=True)
