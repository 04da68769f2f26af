"""Commands that serve the studio and create keys for its admin API: serve, key."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from modiste.cli import options
from modiste.cli.output import print_result
from modiste.cli.progress_bars import ProgressBars
from modiste.errors import BadOption, ShopError, ShopIncomplete, StaleError

if TYPE_CHECKING:
    from modiste.server.versions import BackendFactory
    from modiste.shop.shop import Shop


def serve(
    shop: options.ShopPath,
    host: options.Host = None,
    port: options.Port = None,
    allow_embed: Annotated[
        list[str] | None,
        Option(
            metavar="ORIGIN",
            help="Website that may show /embed in a frame, such as https://shop.example. Repeat the option for more.",
        ),
    ] = None,
    threads: Annotated[
        int | None, Option(metavar="T", help="Pictures drawn at the same time.", show_default="2", min=1, max=64)
    ] = None,
    ray: Annotated[
        str | None,
        Option(
            metavar="HOST:PORT|auto",
            help="Ray cluster whose shards search this shop: HOST:PORT of its head, or auto on one of its machines.",
        ),
    ] = None,
    config: Annotated[
        Path | None, Option(metavar="FILE", help="TOML file with settings.", show_default="modiste.toml, if it exists")
    ] = None,
    print_config: Annotated[bool, Option("--print-config", help="Print all settings as TOML and exit.")] = False,
    json: options.JsonOutput = False,
) -> None:
    """Serve the studio page and the HTTP API. Press Ctrl-C to stop.

    These options override environment variables such as MODISTE_PORT=8080, which override the settings file.

    Examples:
      modiste serve --shop my-shop
      modiste serve --shop my-shop --host 0.0.0.0 --port 8080 --allow-embed https://shop.example
      modiste serve --shop s3://bucket/my-shop --ray 10.0.0.1:6379
      modiste serve --shop my-shop --print-config > modiste.toml
    """
    from modiste.server.settings import load_settings

    origins = tuple(allow_embed) if allow_embed else None
    settings = load_settings(config, host=host, port=port, allow_embed=origins, threads=threads, ray=ray)
    if print_config:
        print_result(settings.redacted(), settings.to_toml().rstrip(), as_json=json)
        return

    from modiste.server.run import browser_url, listen, serve_shop
    from modiste.shop.shop import Shop

    with listen(settings.host, settings.port) as listener, _shard_backend(shop, settings.ray) as backend_factory:
        opened = _open_during_change(shop, settings.threads) if settings.admin_key else Shop.open(shop, need="map")
        url = browser_url(listener)
        result = {"url": url, "shop": shop, "model": opened.model.model_id, "products": len(opened.catalogue)}
        print_result(result, f"Studio: {url} (press Ctrl-C to stop)", as_json=json)
        serve_shop(listener, opened, settings, backend_factory)


@contextmanager
def _shard_backend(shop: str, ray_address: str) -> Generator[BackendFactory | None]:
    """Yield the factory of a backend that searches on a shop's shards, or None without a Ray address."""
    if not ray_address:
        yield None
        return
    from modiste.distributed.ray_session import LOCAL_ADDRESS, connect

    if ray_address == LOCAL_ADDRESS:
        raise BadOption("`--ray local` has no shards.", remedy="Give the address of a cluster with `modiste shards`.")
    with connect(ray_address):
        from modiste.distributed.shard_client import ShardClient
        from modiste.distributed.shard_fallback import DEADLINE_SECONDS, FallbackBackend

        client = ShardClient(shop, DEADLINE_SECONDS)
        try:
            yield partial(FallbackBackend, client)
        finally:
            client.close()


def _open_during_change(path: str, threads: int) -> Shop:
    """Open a shop to serve, even if a server was stopped before it had finished the update after a change.

    It opens the shop as it was before the change, and the server finishes the update. If that is impossible, it
    finishes the update first.
    """
    from modiste.pipeline.product_changes import refresh_shop
    from modiste.shop.shop import Shop

    with suppress(StaleError, ShopIncomplete):
        return Shop.open(path, need="map")
    with suppress(ShopError):
        return Shop.open(path, need="map", earlier=True)
    with ProgressBars(quiet=True) as bars:
        refresh_shop(path, threads=threads, on_progress=bars)
    return Shop.open(path, need="map")


def key(json: options.JsonOutput = False) -> None:
    """Create a key for the admin API, /v1/admin, and the hash that the server needs to check it.

    Examples:
      modiste key
      MODISTE_ADMIN_KEY=sha256:... modiste serve --shop my-shop
      curl -H "Authorization: Bearer KEY" http://127.0.0.1:8000/v1/admin
    """
    from modiste.server.auth import new_key

    secret, hashed = new_key()
    text = (
        f"key   {secret}\nhash  {hashed}\n\n"
        "Keep the key secret. It is shown only now and stored nowhere.\n"
        "Set the hash on the server: as MODISTE_ADMIN_KEY, or as MODISTE_READ_KEY for read-only access,\n"
        "or as admin_key or read_key in the table [serve] of modiste.toml."
    )
    print_result({"key": secret, "hash": hashed}, text, as_json=json)
