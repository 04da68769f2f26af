"""A small shop, built for real once per test run: sample products, a briefly trained model, encodings, clusters."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from modiste.sources.record import Record
from tests import s3
from tests.small import (
    COUNT,
    FRAME,
    SMALL,
    Listed,
)


@pytest.fixture(scope="session")
def sample_records() -> list[Record]:
    """The products of the small sample."""
    from modiste.sources.sample import SampleSource

    source = SampleSource(count=COUNT, seed=3, size=FRAME)
    return [item for item in source.records() if isinstance(item, Record)]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, sample_records: list[Record]) -> Path:
    """The directory of a whole shop. Shared by all tests: ask it, never write to it."""
    from modiste.pipeline.build import build

    root = tmp_path_factory.mktemp("shops") / "built"
    build(
        Listed(list(sample_records), "sample"),
        root,
        frame=FRAME,
        epochs=10,
        latent=8,
        cluster_method="kmeans",
    )
    return root


@pytest.fixture
def shop_copy(built: Path, tmp_path: Path) -> Path:
    """The directory of a whole shop, for one test to break."""
    root = tmp_path / "shop"
    shutil.copytree(built, root)
    return root


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The directory of a whole shop of 24 tiny products, for one test to break; made by version 0.1.0."""
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
    """A URL on it under which nothing is yet; this machine, too, has no copy of anything."""
    for name, value in s3.KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    return f"s3://{s3.BUCKET}/test-{next(_NUMBERS)}/shop"


@pytest.fixture
def there(s3_url: str) -> str:
    """The URL of the whole shop of 24 tiny products, for one test to break."""
    from modiste.storage.backup import restore_shop

    restore_shop(SMALL, s3_url)
    return s3_url
