"""`python -m modiste.scale.packing PLACE VERSION SHARDS SHARD` packs one shard of a shop on this machine."""

from __future__ import annotations

import sys

from modiste.errors import ModisteError
from modiste.shop.packs import Packs


def main(place: str, version: str, shards: str, shard: str) -> int:
    """Pack, and return the exit code; what goes wrong is a line on standard error."""
    try:
        Packs(place, version, int(shards)).make([int(shard)])
    except ModisteError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
