"""Killed backups and restores, and full disks: existing files stay, and incomplete ones are not used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modiste import Shop
from modiste.errors import SchemaError, StorageError
from modiste.pipeline.doctor.check import check_shop
from modiste.storage.backup import backup_shop, restore_shop
from tests.contents import contents
from tests.small import SMALL

pytestmark = pytest.mark.faults

# Waits after each part of a file, so that it can be killed in between.
SLOW_PROGRAM = """
import sys, time
from modiste.storage import archive; from modiste.storage import backup
archive.CHUNK_BYTES = 20_000
print("ready", flush=True)
getattr(backup, sys.argv[1])(sys.argv[2], sys.argv[3], on_progress=lambda _: time.sleep(0.02))
"""


def run_and_kill(what: str, source: Path, target: Path, seconds: float) -> None:
    """Start a slow backup or restore, and kill it after some seconds."""
    words = [sys.executable, "-c", SLOW_PROGRAM, what, str(source), str(target)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        process.kill()


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.4])
def test_killed_backup_keeps_the_old_file_and_the_shop(seconds: float, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "shop.zip"
    shutil.copy(SMALL, out)
    before, shop = out.read_bytes(), contents(small)
    run_and_kill("backup_shop", small, out, seconds)
    assert out.read_bytes() == before
    (left,) = tmp_path.glob(".shop.zip.*.partial")
    with pytest.raises(SchemaError):
        restore_shop(left, tmp_path / "again")
    assert contents(small) == shop
    backup_shop(small, out)  # nobody holds the shop, and what was left is cleared
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.zip", "small"]


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.4])
def test_killed_restore_makes_no_shop_and_can_be_repeated(seconds: float, tmp_path: Path) -> None:
    target = tmp_path / "shop"
    run_and_kill("restore_shop", SMALL, target, seconds)
    assert not target.exists()
    assert len(list(tmp_path.glob(".shop.*.partial"))) == 1
    restore_shop(SMALL, target)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]
    assert len(Shop.open(target).catalogue) == 24


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A separate disk with 200 kB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_backup_to_a_full_disk_keeps_the_old_file(small: Path, full_disk: Path) -> None:
    (full_disk / "shop.zip").write_bytes(b"the one before")
    with pytest.raises(StorageError, match=r"No space.*Free some space"):
        backup_shop(small, full_disk / "shop.zip")
    assert [path.read_bytes() for path in full_disk.iterdir()] == [b"the one before"]
    assert check_shop(small) == []


def test_restore_to_a_full_disk_leaves_nothing(full_disk: Path) -> None:
    with pytest.raises(StorageError, match=r"No space.*Free some space"):
        restore_shop(SMALL, full_disk / "shop")
    assert list(full_disk.iterdir()) == []


def test_read_only_disk_raises_storage_error(small: Path, full_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(full_disk)], check=True)
    with pytest.raises(StorageError, match="Read-only"):
        backup_shop(small, full_disk / "shop.zip")
    with pytest.raises(StorageError, match="Read-only"):
        restore_shop(SMALL, full_disk / "shop")


def test_backup_with_a_zeroed_block_is_rejected(tmp_path: Path) -> None:
    """A disk that lost a block returns zeros for it."""
    whole, random = SMALL.read_bytes(), np.random.default_rng(1)
    for number, place in enumerate(random.integers(0, len(whole) // 4096, 40).tolist()):
        hole = bytearray(whole)
        hole[place * 4096 : (place + 1) * 4096] = bytes(len(hole[place * 4096 : (place + 1) * 4096]))
        (tmp_path / "hole.zip").write_bytes(hole)
        with pytest.raises(SchemaError, match="not a complete backup"):
            restore_shop(tmp_path / "hole.zip", tmp_path / f"shop-{number}")
        assert not (tmp_path / f"shop-{number}").exists()
