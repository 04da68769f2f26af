"""Fuzz one target with atheris, starting from its seeds: `python -m tests.fuzz.attack TARGET SECONDS`.

Exits with 0 if nothing is found. An exception of a target ends it with a traceback, and the bytes that caused it are
written to the working directory. Move them to `seeds/` with the fix.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["modiste", "PIL"]):
    from tests.fuzz.targets import LONGEST, SEEDS, TARGETS, reads

MEMORY_DISK = Path("/dev/shm")  # where there is one: a file is written for every try
MEMORY = 2048  # MB; what takes more is a fault
SLOW = 10  # seconds for one input; what takes longer is a fault
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    0.5,
    2**63,
    10**400,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud800",
    [],
    [[]],
    {},
    {"": None},
)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Replace, repeat or remove one value of JSON in half of the cases; in all other cases, change any bytes."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        try:
            held: Any = json.loads(data)
            places = list(_places(held))
            inside, key = chance.choice(places)
            if chance.random() < 0.2:
                del inside[key]
            elif isinstance(inside, list) and chance.random() < 0.2:
                inside.insert(key, inside[key])
            else:
                inside[key] = chance.choice([*ODD, chance.choice(places)[0]])
            made = json.dumps(held).encode()
            if len(made) <= most:
                return made
        except (ValueError, IndexError, RecursionError):  # no JSON, nothing in it, or itself within itself
            pass
    return atheris.Mutate(data, most)


def _places(held: Any) -> Any:
    """Yield every (list or object, index or name) in JSON."""
    pairs = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
    for key, value in pairs:
        yield held, key
        yield from _places(value)


def main() -> None:
    """Fuzz until the time is up."""
    name, seconds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as scratch:
        (Path(scratch) / "target").mkdir()
        (Path(scratch) / "found").mkdir()
        held = TARGETS[name](Path(scratch) / "target")
        target = held.__enter__()  # for good: libFuzzer ends the process
        warnings.simplefilter("error")
        options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY}"]
        options += [f"-timeout={SLOW}", "-print_final_stats=1", "-verbosity=1"]
        places = [f"{scratch}/found", str(SEEDS / name)]
        mutator = {"custom_mutator": mutate} if any((SEEDS / name).glob("*.json")) else {}
        atheris.Setup(["attack", *options, *places], lambda data: reads(target, data) and None, **mutator)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
