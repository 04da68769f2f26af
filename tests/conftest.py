"""Shared fixtures, in particular a small built shop; and the marker `unit`."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from modiste.sources.record import Record
from tests import s3
from tests.shop_cache import ROOT, copy_cached_shop
from tests.small import SMALL, build_small_shop, small_sample

# A test that needs one of these is not a unit test: fixtures with a shop or a server (others build on them), names that
# a module imports to start processes, to train or to restore a shop, folders that run other programs, and markers.
FIXTURES = {"built", "small", "s3_server", "fleet", "cluster"}
NAMES = {"subprocess", "multiprocessing", "train", "train_shop", "build", "restore_shop", "PhotoWorker"}
FOLDERS = {"benchmarks", "browser", "deploy", "faults", "fuzz", "js", "supply"}
MARKERS = {"integration", "slow", "photos", "browser", "faults"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark as `unit` every test that needs no process and no trained shop. Start with the file that takes longest.

    Parallel processes take a file at a time: if the longest were the last, the other processes would wait for it.
    """
    items.sort(key=lambda item: item.path.name != "test_trainer.py")
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        needs = FIXTURES.intersection(item.fixturenames)
        needs |= NAMES.intersection(vars(item.module))
        needs |= MARKERS.intersection(marker.name for marker in item.iter_markers())
        if not needs and folder not in FOLDERS:
            item.add_marker("unit")


@pytest.fixture(scope="session")
def sample_records() -> list[Record]:
    """The products of the small sample."""
    return small_sample()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a complete shop. All tests share it: never write to it."""
    return copy_cached_shop("small", build_small_shop, tmp_path_factory.mktemp("shops") / "built")


@pytest.fixture
def shop_copy(built: Path, tmp_path: Path) -> Path:
    """The directory of a complete shop, which one test may change."""
    root = tmp_path / "shop"
    shutil.copytree(built, root)
    return root


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The directory of a complete shop of 24 tiny products, made by version 0.1.0, which one test may change."""
    from modiste.storage.backup import restore_shop

    restore_shop(SMALL, tmp_path / "small")
    return tmp_path / "small"


_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server on this machine."""
    if not s3.is_here():
        pytest.skip("there is no S3 server: `make setup` installs it")
    with s3.running() as address:
        yield address


@pytest.fixture
def s3_url(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A URL on the S3 server without objects; the local cache is empty too."""
    for name, value in s3.KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    return f"s3://{s3.BUCKET}/test-{next(_NUMBERS)}/shop"


@pytest.fixture
def there(s3_url: str) -> str:
    """The URL of the complete shop of 24 tiny products, which one test may change."""
    from modiste.storage.backup import restore_shop

    restore_shop(SMALL, s3_url)
    return s3_url
