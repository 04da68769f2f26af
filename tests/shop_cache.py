"""Shops that take seconds to train, kept in `.cache/test-shops` between runs and shared by parallel workers."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "test-shops"
PACKAGE = ROOT / "src" / "modiste"
NOT_IN_A_SHOP = ("cli", "distributed", "evaluate", "server")  # rooms above the pipeline: a shop does not depend on them
LOCKS = ("run.lock", "train.lock", "torch.txt")


def copy_cached_shop(name: str, make: Callable[[Path], object], root: Path) -> Path:
    """Copy a shop to `root`, made by `make` if no run has made it from the same sources yet.

    The key holds everything that a shop is made from: the package's sources, the locked versions of its dependencies,
    and the module of `make`. Each caller has its own copy, so that no test can change what later runs start from.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shop = CACHE / f"{name}-{_sources_hash(make)}"
        if not shop.exists():
            for old in CACHE.glob(f"{name}-*"):
                shutil.rmtree(old)
            unfinished = CACHE / f"{name}-unfinished"
            make(unfinished)
            unfinished.rename(shop)
        shutil.copytree(shop, root)
    return root


def _sources_hash(make: Callable[[Path], object]) -> str:
    """Return the hash of the sources of a shop that `make` makes."""
    result = hashlib.sha256(sys.version.encode())
    for path in _sources(make):
        result.update(f"{path.relative_to(ROOT)}\n".encode())
        result.update(path.read_bytes())
    return result.hexdigest()[:16]


def _sources(make: Callable[[Path], object]) -> Iterator[Path]:
    yield Path(inspect.getfile(make)).resolve()
    yield from (ROOT / "requirements" / name for name in LOCKS)
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in NOT_IN_A_SHOP:
            yield path
