"""Missing read, write and search permissions: results are correct or the error is named, and nothing changes.

Root may do everything, so the tests run in a process of the user `nobody`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modiste.storage.backup import restore_shop
from tests.contents import contents
from tests.small import SMALL

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="becoming nobody needs root"),
]

NOBODY = 65534
# All is loaded and used once before, for nobody may not read Modiste itself where root installed it.
AS_NOBODY = """
import json, os, sys, traceback
from pathlib import Path
from modiste.sources.record import Record
from modiste.errors import ModisteError
from modiste.storage.backup import backup_shop
from modiste.pipeline.product_changes import InMemorySource, put_products, refresh_shop, remove_products
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.index import index_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.doctor.repair import check_and_repair
from modiste.shop.shop import Shop
from modiste.images.photo import to_png
import numpy as np

def photo(seed):
    return to_png(np.random.default_rng(seed).integers(0, 255, (24, 16, 3), dtype=np.uint8))

def answer(path):
    shop = Shop.open(path, need="map")
    code = shop.code_of(shop.catalogue.ids[3])
    near = [[match.id for match in shop.similar(code, 5, *how)] for how in (("likelihood",), ("mean", "catalogue"))]
    drawn = int(shop.decode(code).astype(int).sum())
    return [near, drawn, len(shop.jpeg(shop.catalogue.ids[0])), len(shop.recommend(code, 2))]

WORK = {
    "answer": answer,
    "look over": lambda path: check_and_repair(path)["intact"],
    "repair": lambda path: check_and_repair(path, repair=True)["intact"],
    "put": lambda path: put_products(path, [Record("new", "bags", photo(1), {})]),
    "remove": lambda path: remove_products(path, [Shop.open(path, need="catalogue").catalogue.ids[0]]),
    "refresh": refresh_shop,
    "cluster": lambda path: cluster_shop(path, k=2, method="kmeans"),
    "index": index_shop,
    "backup": lambda path: backup_shop(path, Path(path).parent / "out.zip") and None,
    "new": lambda path: ingest(InMemorySource([Record("a", "b", photo(2), {})]), Path(path) / "new").added,
}

def tried(work, path):
    try:
        return ["done", work(path)]
    except ModisteError as error:
        return [type(error).__name__, str(error)]
    except BaseException:
        return ["FAULT", traceback.format_exc()]

for work in WORK.values():
    work(sys.argv[1])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for line in sys.stdin:
    what, path = json.loads(line)
    print(json.dumps(tried(WORK[what], path), default=str), flush=True)
"""


class Nobody:
    """A process of the user `nobody`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, what: str, path: Path) -> tuple[str, Any]:
        """Return the outcome: done, or the error's name and message."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, str(path)]) + "\n")
        self._process.stdin.flush()
        name, detail = json.loads(self._process.stdout.readline())
        assert name != "FAULT", detail
        return name, detail


@pytest.fixture(scope="module")
def public_directory() -> Iterator[Path]:
    """A directory that everybody may search."""
    root = Path(tempfile.mkdtemp(prefix="modiste-nobody-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def nobody(public_directory: Path) -> Iterator[Nobody]:
    own = public_directory / "own"
    own.mkdir()
    restore_shop(SMALL, own / "shop")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(public_directory)}
    with subprocess.Popen(
        [sys.executable, "-c", AS_NOBODY, str(own / "shop")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        yield Nobody(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def shop(public_directory: Path) -> Iterator[Path]:
    """A complete shop that belongs to `nobody`, in a directory of `nobody`."""
    folder = public_directory / "folder"
    folder.mkdir()
    restore_shop(SMALL, folder / "shop")
    for each in (folder, *folder.rglob("*")):
        os.chown(each, NOBODY, NOBODY)
    yield folder / "shop"
    shutil.rmtree(folder)


READING = ("answer", "look over")
WRITING = ("put", "remove", "refresh", "cluster", "index", "repair", "new")


def test_user_can_read_and_change_their_own_shop(nobody: Nobody, shop: Path) -> None:
    for what in ("answer", "put", "refresh", "remove", "refresh", "cluster", "index", "repair", "backup"):
        name, detail = nobody.run(what, shop)
        assert name == "done", detail


@pytest.mark.parametrize("mode", [0o555, 0o444, 0o111, 0o000])
def test_shop_of_another_user_is_searchable_if_readable_and_never_changes(
    nobody: Nobody, shop: Path, mode: int
) -> None:
    """Another user's shop is searchable if it is readable, and is never written to."""
    (_, right) = nobody.run("answer", shop)
    before = contents(shop)
    for each in (shop, *shop.rglob("*")):
        os.chown(each, 0, 0)
        each.chmod(0o444 if each.is_file() and mode == 0o555 else mode)
    for what in (*READING, *WRITING):
        name, detail = nobody.run(what, shop)
        if mode == 0o555 and what in READING:
            assert (name, detail) == ("done", right if what == "answer" else True)
        elif (what, name, mode) == ("refresh", "done", 0o555):
            assert detail == []  # there is nothing to do
        else:
            assert name == "StorageError", (what, name, detail)
            assert "ermission denied" in detail
    assert contents(shop) == before


def test_one_unreadable_path_gives_right_answers_or_a_named_error(nobody: Nobody, shop: Path) -> None:
    """One unreadable file or directory among readable ones: correct results or an error, and no partial change."""
    (_, right) = nobody.run("answer", shop)
    before, messages = contents(shop), set()
    for each in sorted(shop.rglob("*")):
        mode = each.stat().st_mode
        each.chmod(0)
        name, detail = nobody.run("answer", shop)
        each.chmod(mode)
        assert (name, detail) == ("done", right) or name in ("StorageError", "ShopIncomplete"), (each, name, detail)
        messages.add(name)
    assert messages >= {"done", "StorageError"}
    assert contents(shop) == before
