"""Building shard files in a subprocess, so that a long-lived process does not keep the memory of a whole shop.

`python -m modiste.distributed.shard_builder LOCATION SHARDS [VERSION SHARD]` prints the version or the error as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from modiste import errors
from modiste.distributed.shard_files import ShardFiles
from modiste.errors import ModisteError, RayClusterError
from modiste.shop.shop import Shop


def build_shards(location: str, shards: int) -> ShardFiles:
    """Build all shards of the current version of the shop at an absolute location, on this machine.

    Raises also what opening the shop and ShardFiles.build raise. Raises RayClusterError if the process was killed,
    for example by a system without memory.
    """
    return ShardFiles(location, _run_builder([location, str(shards)]), shards)


def build_shard(files: ShardFiles, shard: int) -> None:
    """Build one shard of one version on this machine. Raises what `build_shards` raises."""
    _run_builder([files.location, str(files.shards), files.version, str(shard)])


def _run_builder(arguments: Sequence[str]) -> str:
    """Run the process and return the version that it built."""
    command = [sys.executable, "-m", "modiste.distributed.shard_builder", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = process.stdout.splitlines()
    try:
        output: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        message = (process.stderr.strip().splitlines() or ["no output"])[-1]
        raise RayClusterError(
            f"Building the shards ended with exit code {process.returncode}: {message}.",
            remedy="Check that this machine has enough memory and disk space for the whole shop.",
        ) from None
    if "error" in output:
        raise getattr(errors, output["error"])(output["message"], remedy=output["remedy"])
    return output["version"]


def main(location: str, shards: str, version: str = "", shard: str = "") -> int:
    """Build the shards, print the result, and return the exit code."""
    try:
        version = version or Shop.open(location, need="clusters").version
        ShardFiles(location, version, int(shards)).build([int(shard)] if shard else None)
    except ModisteError as error:
        output = {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
        print(json.dumps(output))
        return error.exit_code
    print(json.dumps({"version": version}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
