"""Packing in a process of its own, which ends: it takes a whole shop's memory, whoever asks for it goes on for long.

`python -m modiste.distributed.shard_builder PLACE SHARDS [VERSION SHARD]` prints a line of JSON: the version or error.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from modiste import errors
from modiste.distributed.shard_files import ShardFiles
from modiste.errors import ClusterError, ModisteError
from modiste.shop.shop import Shop


def build_shards(location: str, shards: int) -> ShardFiles:
    """Pack all shards of the shop at an absolute place, as it is now, on this machine.

    Raises:
        ClusterError: the process was ended, as by a system without memory.
        and what opening a shop raises, and Packs.make.
    """
    return ShardFiles(location, _run_builder([location, str(shards)]), shards)


def build_shard(files: ShardFiles, shard: int) -> None:
    """Pack one shard of one version on this machine. Raises what `pack` raises."""
    _run_builder([files.location, str(files.shards), files.version, str(shard)])


def _run_builder(arguments: Sequence[str]) -> str:
    """The version that the process has packed."""
    command = [sys.executable, "-m", "modiste.distributed.shard_builder", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    try:
        told: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        said = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise ClusterError(
            f"Packing the shards ended with {done.returncode}: {said}.",
            remedy="See whether this machine has the memory and the disk for the whole shop.",
        ) from None
    if "error" in told:
        raise getattr(errors, told["error"])(told["message"], remedy=told["remedy"])
    return told["version"]


def main(location: str, shards: str, version: str = "", shard: str = "") -> int:
    """Pack, tell, and return the exit code."""
    try:
        version = version or Shop.open(location, need="clusters").version
        ShardFiles(location, version, int(shards)).build([int(shard)] if shard else None)
    except ModisteError as error:
        told = {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
        print(json.dumps(told))
        return error.exit_code
    print(json.dumps({"version": version}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
