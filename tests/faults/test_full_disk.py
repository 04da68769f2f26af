"""A real full disk (a small tmpfs): the shop is unchanged, and works again once there is space."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modiste import Shop
from modiste.errors import StorageError
from modiste.images.photo import to_png
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.train import train_shop
from modiste.sources.record import Record
from modiste.storage.manifest import Manifest
from tests.small import Listed

pytestmark = [pytest.mark.faults, pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")]


@pytest.fixture
def full_shop(built: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the shop on its own disk with a few kilobytes left; `free(path)` frees space."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(path.stat().st_size for path in built.rglob("*")) + 3 * 2**20
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        shutil.copytree(built, disk / "shop")
        fill(disk)
        yield disk / "shop"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Fill the disk completely."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def free(shop: Path) -> None:
    (shop.parent / "ballast").unlink()


def noisy_records(count: int) -> list[Record]:
    random = np.random.default_rng(0)
    photos = (random.integers(0, 255, (64, 48, 3), dtype=np.uint8) for _ in range(count))
    return [Record(f"new-{number}", "noise", to_png(photo), {}) for number, photo in enumerate(photos)]


def test_ingest_on_a_full_disk_leaves_the_shop_unchanged(full_shop: Path) -> None:
    before, answer = Manifest.load(full_shop), Shop.open(full_shop).random_design(1)
    with pytest.raises(StorageError, match="space"):
        ingest(Listed(noisy_records(200)), full_shop)
    assert Manifest.load(full_shop) == before
    np.testing.assert_array_equal(Shop.open(full_shop).random_design(1), answer)
    free(full_shop)
    assert ingest(Listed(noisy_records(200)), full_shop).added == 200


def test_encode_on_a_full_disk_leaves_the_shop_unchanged(full_shop: Path) -> None:
    before = Manifest.load(full_shop)
    with pytest.raises(StorageError):
        encode_shop(full_shop)
    assert Manifest.load(full_shop) == before
    assert len(Shop.open(full_shop).similar(Shop.open(full_shop).random_design(0), 3)) == 3
    free(full_shop)
    encode_shop(full_shop)
    Shop.open(full_shop)


def test_cluster_on_a_full_disk_leaves_the_shop_unchanged(full_shop: Path) -> None:
    before = Manifest.load(full_shop)
    with pytest.raises(StorageError, match="Free some space"):
        cluster_shop(full_shop, k=2, method="kmeans")
    assert Manifest.load(full_shop) == before
    assert len(Shop.open(full_shop).clusters.labels) == 3


def test_train_on_a_full_disk_leaves_the_shop_unchanged(full_shop: Path) -> None:
    before = Manifest.load(full_shop)
    with pytest.raises(StorageError):
        train_shop(full_shop, epochs=2, latent=8, seed=9)
    assert Manifest.load(full_shop) == before
    Shop.open(full_shop)
