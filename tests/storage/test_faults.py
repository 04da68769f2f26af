"""The store under kill -9, on a full disk, and in a read-only directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from modiste.errors import ShopIncomplete, StorageError
from modiste.storage.product_store import ProductStore, StoredProduct

pytestmark = pytest.mark.faults

ROWS = 400
WRITER = """
import sys
from pathlib import Path
import numpy as np
from modiste.storage.product_store import ProductStore, StoredProduct
directory, acknowledged, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
store = ProductStore.open(directory)
ids = [f"p{i:04}" for i in range(400)]
print("ready", flush=True)
for turn in range(1, 1000):
    if what == "products":
        text = str(turn)
        store.upsert([StoredProduct(i, text, text.encode() * 3000, text, text, {"turn": turn}) for i in ids])
    else:
        part = np.full((400, 16), turn, np.float32)
        store.write_encodings("m", ids, part, part, part)
    acknowledged.write_text(str(turn))
"""


@pytest.mark.parametrize("what", ["products", "encodings"])
def test_killed_write_leaves_the_old_or_the_new_content(tmp_path: Path, what: str) -> None:
    directory, acknowledged = tmp_path / "store", tmp_path / "acknowledged"
    store = ProductStore.create(directory)
    store.upsert([StoredProduct(f"p{i:04}", "0", b"0", "0", "0", {"turn": 0}) for i in range(ROWS)])
    random = np.random.default_rng(0)
    for _ in range(6):
        acknowledged.write_text("0")
        command = [sys.executable, "-c", WRITER, str(directory), str(acknowledged), what]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(float(random.uniform(0, 0.7)))
            writer.send_signal(signal.SIGKILL)
        least = int(acknowledged.read_text())
        reopened = ProductStore.open(directory)
        assert reopened.count() == ROWS
        if what == "products":
            turns = set(reopened.table(["category"]).column("category").to_pylist())
            photos = {int(photo[: len(photo) // 3000] or photo) for photo in reopened.photos()}
            assert len(turns) == len(photos) == 1
            assert turns == {str(turn) for turn in photos}
            assert int(turns.pop()) >= least
        else:
            try:
                turns = set(np.unique(reopened.read_encodings("m").mean).tolist())
            except ShopIncomplete:
                assert least == 0
                continue
            assert len(turns) == 1
            assert turns.pop() >= least
        reopened.upsert([])  # the lock of a killed process is free
    reopened.upsert([StoredProduct("after", "0", b"0", "0", "0", {})])
    assert ProductStore.open(directory).count() == ROWS + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 4 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here (needs root)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_leaves_the_store_unchanged(small_disk: Path) -> None:
    store = ProductStore.create(small_disk / "store")
    random = np.random.default_rng(0)
    store.upsert([StoredProduct(f"p{i}", "bags", random.bytes(1000), f"{i}", "", {}) for i in range(100)])
    ids = [f"p{i}" for i in range(100)]
    part = np.ones((100, 16), np.float32)
    store.write_encodings("m", ids, part, part, part)
    before, photos = store.hash(), store.photos()
    big = [StoredProduct(f"q{i}", "bags", random.bytes(50_000), f"q{i}", "", {}) for i in range(200)]
    for _ in range(3):
        with pytest.raises(StorageError, match="No space left"):
            store.upsert(big)
        again = ProductStore.open(small_disk / "store")
        assert (store.hash(), again.hash(), again.count()) == (before, before, 100)
        assert again.photos() == photos
    filler = small_disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(StorageError, match="No space left"):
        store.write_encodings("m", ids, part * 2, part, part)
    np.testing.assert_array_equal(ProductStore.open(small_disk / "store").read_encodings("m").mean, part)
    filler.unlink()
    store.write_encodings("m", ids, part * 2, part, part)  # works again once there is room
    store.upsert(big[:10])
    assert ProductStore.open(small_disk / "store").count() == 110


def test_exceeded_file_size_limit_raises_storage_error(tmp_path: Path) -> None:
    code = """
import os, resource, signal, sys
from modiste.errors import StorageError
from modiste.storage.product_store import ProductStore, StoredProduct
store = ProductStore.create(sys.argv[1])
store.upsert([StoredProduct("a", "bags", b"photo", "", "", {})])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.upsert([StoredProduct(f"{i}", "bags", os.urandom(50_000), "", "", {}) for i in range(90)])
except StorageError as error:
    print(error)
assert store.count() == ProductStore.open(sys.argv[1]).count() == 1
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store")], check=True, capture_output=True, text=True
    )
    assert "File too large" in done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_store_is_readable(tmp_path: Path) -> None:
    store = ProductStore.create(tmp_path / "store")
    store.upsert([StoredProduct("a", "bags", b"photo", "", "", {})])
    folders = [path for path in (tmp_path / "store").rglob("*") if path.is_dir()]
    for folder in [*folders, tmp_path / "store"]:
        folder.chmod(0o500)
    try:
        (tmp_path / "store" / ".lock").chmod(0o400)
        assert ProductStore.open(tmp_path / "store").photos() == [b"photo"]
        with pytest.raises(StorageError, match="Permission denied"):
            store.upsert([StoredProduct("b", "bags", b"photo", "", "", {})])
    finally:
        for folder in [tmp_path / "store", *folders]:
            folder.chmod(0o700)
