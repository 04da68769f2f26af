"""The command that has a shop searched by many machines: shards."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from modiste.cli import options
from modiste.cli.commands.serve import Host

if TYPE_CHECKING:
    from modiste.server.settings import Settings

DEFAULT_SHARDS, DEFAULT_REPLICAS = 2, 2


def shards(
    shop: options.ShopPath,
    ray: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT|auto|local",
            help="The Ray cluster, joined from one of its machines; local starts one here, for as long as it serves.",
        ),
    ],
    count: Annotated[
        int | None,
        typer.Option(
            "--shards", metavar="S", help=f"Into how many the products are split; as now, or {DEFAULT_SHARDS}.", min=1
        ),
    ] = None,
    replicas: Annotated[
        int | None, typer.Option(metavar="R", help=f"How many have each shard; as now, or {DEFAULT_REPLICAS}.", min=1)
    ] = None,
    host: Host = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Serve /v1/similar, /v1/recommend and /readyz at this port until Ctrl-C; 0 takes a free one.",
            min=0,
            max=65535,
        ),
    ] = None,
    json: options.JsonOutput = False,
) -> None:
    """Split the shop's products over the machines of a cluster, and answer from all of them as one machine would.

    Run again it goes over to other numbers, or to the shop as it is by then, without refusing anybody. With --port it
    serves what runs already, or sets it up: any number of such servers can be run. Without, it sets up, and ends.

    \b
    modiste shards --shop my-shop --ray local --shards 2 --port 8100
    modiste shards --shop s3://bucket/my-shop --ray 10.0.0.1:6379 --shards 4 --replicas 2
    modiste shards --shop s3://bucket/my-shop --ray 10.0.0.1:6379 --port 8100
    curl -d '{"product": "1163"}' -H "Content-Type: application/json" http://127.0.0.1:8100/v1/similar
    """
    from modiste.distributed.ray_session import LOCAL_ADDRESS, connect
    from modiste.errors import BadOption

    if ray == LOCAL_ADDRESS and port is None:
        raise BadOption(
            "A cluster that is started here ends with the command, which has nothing to serve.",
            remedy="Give --port too.",
        )
    # Ray's workers yield to everything else, unless it is told otherwise before it is started.
    os.environ.setdefault("RAY_worker_niceness", "0")
    if port is None:
        with connect(ray):
            _deploy(shop, count, replicas, json)
        return
    from modiste.server.run import listen
    from modiste.server.settings import load_settings

    settings = load_settings(None, host=host, port=port)
    with listen(settings.host, settings.port) as held, connect(ray):
        from modiste.distributed.shard_deploy import list_running
        from modiste.storage.location import absolute_location

        if count is not None or replicas is not None or not list_running(absolute_location(shop)):
            _deploy(shop, count, replicas, None)
        _serve(shop, held, settings, json)


def _deploy(shop: str, count: int | None, replicas: int | None, json: bool | None) -> None:
    """Set the shards up, with the numbers that are given, or those that run; tell of it, unless `json` is None."""
    from modiste.cli.output import console, print_json
    from modiste.distributed import shard_deploy
    from modiste.storage.location import absolute_location

    runs = shard_deploy.list_running(absolute_location(shop))
    now = shard_deploy.count_replicas(runs[0], shard_deploy.STARTING_STATES) if runs else {}  # a lost one comes again
    numbers = (count or len(now) or DEFAULT_SHARDS, replicas or max(now.values(), default=0) or DEFAULT_REPLICAS)
    made = shard_deploy.deploy(shop, *numbers, lambda words: print(f"{words} …", file=sys.stderr, flush=True))
    if json:
        print_json(made)
    elif json is not None:
        console().print(
            f"{made['products']:,} products answer from {made['shards']} shards of {made['replicas']} replicas; "
            f"version {made['shop_version']}.",
            soft_wrap=True,
        )


def _serve(shop: str, held: socket.socket, settings: Settings, json: bool) -> None:
    """Serve what runs, until Ctrl-C. Raises RayClusterError once the cluster is lost."""
    from modiste.cli.output import console, print_json
    from modiste.distributed.shard_client import ShardClient
    from modiste.errors import RayClusterError
    from modiste.server.run import browser_url, serve_app
    from modiste.server.shard_app import create_shard_app

    front = ShardClient(shop)
    if json:
        print_json({"url": browser_url(held), "shop": shop} | front.status())
    else:
        console().print(f"The shards answer at {browser_url(held)} (Ctrl-C ends it).", soft_wrap=True)
    sys.stdout.flush()  # whoever reads it through a pipe waits for it
    try:
        serve_app(held, create_shard_app(front, settings), settings, stop_event=front.lost)
    finally:
        front.close()
    if front.lost.is_set():
        raise RayClusterError(
            "The head of the cluster has not answered for a minute.",
            remedy="Start Ray again on all machines, set the shards up with `modiste shards`, and run this again.",
        )
