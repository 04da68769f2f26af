"""The command that searches a shop on several machines: shards."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from modiste.cli import options
from modiste.cli.output import print_result
from modiste.errors import BadOption, RayClusterError

if TYPE_CHECKING:
    from modiste.server.settings import Settings

DEFAULT_SHARDS, DEFAULT_REPLICAS = 2, 2


def shards(
    shop: options.ShopPath,
    ray: Annotated[
        str,
        Option(
            metavar="HOST:PORT|auto|local",
            help="Ray cluster: HOST:PORT of its head, auto on one of its machines, or local to start Ray on this "
            "machine while the command runs.",
        ),
    ],
    count: Annotated[
        int | None,
        Option(
            "--shards", metavar="S", help="Number of shards.", show_default=f"unchanged, or {DEFAULT_SHARDS}", min=1
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        Option(metavar="R", help="Replicas of each shard.", show_default=f"unchanged, or {DEFAULT_REPLICAS}", min=1),
    ] = None,
    host: options.Host = None,
    port: Annotated[
        int | None,
        Option(
            metavar="PORT",
            help="Serve /v1/similar, /v1/recommend and /readyz at this port until Ctrl-C; 0 takes a free one.",
            show_default="deploy only",
            min=0,
            max=65535,
        ),
    ] = None,
    json: options.JsonOutput = False,
) -> None:
    """Deploy a shop as shards on a Ray cluster. They give the same answers as one machine.

    Run it again to change the number of shards or to deploy a newer version of the shop; queries continue meanwhile.
    With --port, it serves the shards that run, and deploys them first if there are none. You can run any number of such
    servers.

    Examples:
      modiste shards --shop my-shop --ray local --shards 2 --port 8100
      modiste shards --shop s3://bucket/my-shop --ray 10.0.0.1:6379 --shards 4 --replicas 2
      modiste shards --shop s3://bucket/my-shop --ray 10.0.0.1:6379 --port 8100
      curl -d '{"product": "1163"}' -H "Content-Type: application/json" http://127.0.0.1:8100/v1/similar
    """
    from modiste.distributed.ray_session import LOCAL_ADDRESS, connect

    if ray == LOCAL_ADDRESS and port is None:
        raise BadOption(
            "`--ray local` without `--port` has nothing to do: the local Ray ends with the command.",
            remedy="Add --port to serve the shards.",
        )
    # Otherwise Ray gives its workers a low priority. It reads this when it starts.
    os.environ.setdefault("RAY_worker_niceness", "0")
    if port is None:
        with connect(ray):
            result = _deploy(shop, count, replicas)
        text = (
            f"{result['products']:,} products deployed on {result['shards']} shards with {result['replicas']} replicas "
            f"each; shop version {result['shop_version']}."
        )
        print_result(result, text, as_json=json)
        return
    from modiste.server.run import listen
    from modiste.server.settings import load_settings

    settings = load_settings(None, host=host, port=port)
    with listen(settings.host, settings.port) as listener, connect(ray):
        from modiste.distributed.shard_deploy import list_running
        from modiste.storage.location import absolute_location

        if count is not None or replicas is not None or not list_running(absolute_location(shop)):
            _deploy(shop, count, replicas)
        _serve(shop, listener, settings, json)


def _deploy(shop: str, count: int | None, replicas: int | None) -> dict[str, Any]:
    """Deploy the shards, by default in the numbers that run now. Return what `deploy` returns."""
    from modiste.distributed.shard_deploy import STARTING_STATES, count_replicas, deploy, list_running
    from modiste.storage.location import absolute_location

    running = list_running(absolute_location(shop))
    current = count_replicas(running[0], STARTING_STATES) if running else {}  # Ray restarts a lost replica
    count = count or len(current) or DEFAULT_SHARDS
    replicas = replicas or max(current.values(), default=0) or DEFAULT_REPLICAS
    return deploy(shop, count, replicas, lambda status: print(f"{status} …", file=sys.stderr, flush=True))


def _serve(shop: str, listener: socket.socket, settings: Settings, json: bool) -> None:
    """Serve the running shards until Ctrl-C. Raises RayClusterError when the cluster is lost."""
    from modiste.distributed.shard_client import ShardClient
    from modiste.server.run import browser_url, serve_app
    from modiste.server.shard_app import create_shard_app

    client, url = ShardClient(shop), browser_url(listener)
    result = {"url": url, "shop": shop} | client.status()
    print_result(result, f"Shards: {url} (press Ctrl-C to stop)", as_json=json)
    try:
        serve_app(listener, create_shard_app(client, settings), settings, stop_event=client.lost)
    finally:
        client.close()
    if client.lost.is_set():
        raise RayClusterError(
            "The head of the Ray cluster has not answered for a minute.",
            remedy="Start Ray again on all machines, deploy the shards with `modiste shards`, and run this again.",
        )
