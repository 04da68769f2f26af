"""A catalogue of bad photos: readable ones become products, others are rejected with a reason, in bounded memory."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modiste.pipeline.ingest import ingest
from modiste.pipeline.prepare_photos import Outcome, PhotoPreparer
from modiste.shop.shop import Shop
from modiste.sources.record import Record, Rejection
from modiste.storage.product_store import StoredProduct
from tests.small import FRAME
from tests.zoo import zoo

MAX_REJECTION_MIB = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bad photos as a folder; every file has the suffix of a JPEG."""
    root = tmp_path_factory.mktemp("zoo") / "photos"
    (root / "hats").mkdir(parents=True)
    for name, bad in zoo().items():
        (root / "hats" / f"{name}.jpg").write_bytes(bad.data)
    return root


def test_each_photo_is_stored_or_rejected_with_its_reason(folder: Path, tmp_path: Path) -> None:
    summary = ingest(str(folder), tmp_path / "shop", frame=FRAME)
    with (tmp_path / "shop" / "rejected.csv").open(encoding="utf-8", newline="") as file:
        reasons = {row["id"].removeprefix("hats/"): row["reason"] for row in csv.DictReader(file)}
    for name, bad in zoo().items():
        # plain photos of one colour are the same pixels once they are fitted: the first of them is kept
        assert reasons.get(name, "") in ((bad.reason,) if bad.reason else ("", "duplicate_photo")), name
    assert summary.products == len(zoo()) - sum(summary.rejected.values()) > 5
    shop = Shop.open(tmp_path / "shop", need="catalogue")
    for product in shop.catalogue.ids:  # what a file carried beside its pixels stays outside
        assert not {b"<script", b"PK\x03\x04", b"Exif"} & {
            each for each in (b"<script", b"PK\x03\x04", b"Exif") if each in shop.jpeg(product)
        }


@pytest.mark.skipif(sys.platform != "linux", reason="measures as Linux does")
@pytest.mark.parametrize("name", [name for name, bad in zoo().items() if bad.reason == "too_large"])
def test_rejecting_a_photo_takes_little_memory(name: str, tmp_path: Path) -> None:
    """Measure the peak memory of this process while an ingest prepares one photo and rejects it."""
    preparer = PhotoPreparer(FRAME, "any", {}.get, tmp_path)
    assert isinstance(prepare_photo(preparer, zoo()["one pixel"].data), StoredProduct)
    Path("/proc/self/clear_refs").write_text("5")
    idle = memory_mib("VmRSS")
    rejection = prepare_photo(preparer, zoo()[name].data)
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "too_large"
    assert memory_mib("VmHWM") - idle < MAX_REJECTION_MIB


def prepare_photo(preparer: PhotoPreparer, photo: bytes) -> Outcome:
    """Return what an ingest makes of one photo."""
    (outcome,) = preparer.run(iter([Record("hat", "hats", photo)]))
    return outcome


def memory_mib(name: str) -> float:
    """Return the memory of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures as Linux does")
def test_ingest_of_bad_photos_takes_bounded_memory(folder: Path, tmp_path: Path) -> None:
    """The files would decompress to gigabytes; reading them needs no more memory than photos of their size."""
    program = (
        "import resource, sys; from modiste.pipeline.ingest import ingest; before = resource.getrusage(0).ru_maxrss; "
        "ingest(sys.argv[1], sys.argv[2], frame=(64, 48)); print(resource.getrusage(0).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(tmp_path / "shop")],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert int(done.stdout) / 1024 < 400
