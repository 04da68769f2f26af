"""Two versions of Modiste on one shop: the older refuses what the newer one has written, and changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from modiste.errors import ModisteError, SchemaError
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.doctor.repair import check_and_repair
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.index import index_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.map import make_map
from modiste.pipeline.product_changes import InMemorySource, put_products, refresh_shop, remove_products, use_model
from modiste.pipeline.sliders import make_sliders
from modiste.pipeline.train import train_shop
from modiste.server.app import create_app
from modiste.server.settings import Settings
from modiste.shop.shop import Shop
from modiste.sources.record import Record
from modiste.storage.backup import backup_shop
from modiste.storage.locks import write_lock
from tests.contents import contents
from tests.server.client import refused
from tests.server.conftest import UNLIMITED
from tests.server.routes.test_admin import ADMIN, KEY, READ, READER, noise, put, settled

pytestmark = pytest.mark.faults

# The Modiste of next year: another schema of shop.json, or of the products' table, and nothing else.
NEWER = """
import sys
from pathlib import Path
from modiste.storage import migrations
what, path = sys.argv[1], Path(sys.argv[2])
if "shop" in what:
    migrations.MIGRATIONS[1] = lambda raw: raw
    migrations.SCHEMA_VERSION = 2  # before the manifest imports it
from modiste.storage import product_store as products
if "store" in what:
    products.SCHEMA_VALUE = b"2"
    products.SCHEMA = products.SCHEMA.with_metadata({products.SCHEMA_KEY: b"2"})
import numpy as np
from modiste.images.photo import to_png
from modiste.sources.record import Record
from modiste.pipeline.product_changes import InMemorySource
from modiste.pipeline.ingest import ingest
from modiste.pipeline.cluster import cluster_shop
from modiste.shop.shop import Shop
if "new" in what:
    photos = np.random.default_rng(0).integers(0, 255, (9, 24, 16, 3), dtype=np.uint8)
    records = [Record(str(n), "bags", to_png(each)) for n, each in enumerate(photos)]
    ingest(InMemorySource(records), path, frame=(24, 16))
else:
    cluster_shop(path, k=2, method="kmeans")
    assert Shop.open(path).manifest.schema == 2
if "holding" in what:
    from modiste.storage.locks import write_lock
    with write_lock(path):
        print("held", flush=True)
        sys.stdin.read()
"""


def start_newer_version(what: str, path: Path) -> subprocess.Popen[str]:
    """Run a command of the newer version."""
    return subprocess.Popen(
        [sys.executable, "-c", NEWER, what, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def write_with_newer_version(what: str, path: Path) -> None:
    with start_newer_version(what, path) as process:
        process.communicate(timeout=300)
    assert process.returncode == 0


STAGES: dict[str, Callable[[Path], Any]] = {
    "open": Shop.open,
    "ingest": lambda path: ingest(InMemorySource([Record("new", "bags", noise(1), {})]), path),
    "put": lambda path: put_products(path, [Record("new", "bags", noise(1), {})]),
    "remove": lambda path: remove_products(path, ["1"]),
    "train": lambda path: train_shop(path, epochs=2, latent=4),
    "encode": encode_shop,
    "cluster": lambda path: cluster_shop(path, k=2),
    "sliders": make_sliders,
    "map": make_map,
    "index": index_shop,
    "refresh": refresh_shop,
    "model": lambda path: use_model(path, "0123456789ab"),
    "backup": lambda path: backup_shop(path, path.parent / "out.zip"),
}


@pytest.mark.parametrize("what", ["shop", "new store"])
def test_every_stage_rejects_a_newer_shop_and_leaves_it_unchanged(what: str, small: Path, tmp_path: Path) -> None:
    path = small if what == "shop" else tmp_path / "new"
    write_with_newer_version(what, path)
    before = contents(path)
    for name, work in STAGES.items():
        if (name, what) == ("backup", "new store"):
            continue  # a copy of files, which need not be understood: shop.json says how
        with pytest.raises(SchemaError, match=r"schema.*2.*this Modiste reads up to 1.*or a newer one"):
            work(path)
        assert contents(path) == before, name
    assert not (path.parent / "out.zip").exists()
    for repair in (False, True):
        report = check_and_repair(path, repair=repair)
        assert not report["intact"]
        assert "this Modiste reads up to 1" in str(report["faults"])
        assert contents(path) == before


def test_open_shop_keeps_its_answers_after_a_newer_version_writes(small: Path) -> None:
    shop = Shop.open(small, need="map")
    code = shop.code_of(shop.catalogue.ids[0])
    answer = [match.id for match in shop.similar(code, 5)]
    write_with_newer_version("shop", small)
    assert [match.id for match in shop.similar(code, 5)] == answer
    assert shop.photo(shop.catalogue.ids[0]).shape == (*shop.frame, 3)


def test_older_version_cannot_write_while_a_newer_one_holds_the_lock(small: Path) -> None:
    with start_newer_version("shop holding", small) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        before = contents(small)
        with pytest.raises(ModisteError):
            cluster_shop(small, k=3)
        with pytest.raises(ModisteError), write_lock(small):
            pass
        assert contents(small) == before
        process.communicate("")


@pytest.fixture
def admin_client(small: Path) -> Iterator[tuple[TestClient, Path]]:
    """A client of a server with admin keys, and its shop."""
    settings = Settings(admin_key=ADMIN[1], read_key=READER[1], **UNLIMITED)
    with TestClient(create_app(Shop.open(small, need="map"), settings), raise_server_exceptions=False) as client:
        yield client, small


def test_server_keeps_serving_and_reports_the_newer_schema(admin_client: tuple[TestClient, Path]) -> None:
    client, path = admin_client
    version = settled(client)["shop_version"]
    write_with_newer_version("shop", path)
    before = contents(path)
    assert client.post("/v1/admin/reload", headers=KEY).status_code == 202
    state = settled(client)
    assert state["shop_version"] == version
    assert "this Modiste reads up to 1" in state["error"]
    refused(put(client, "new", noise(1)), 503, "schema_error")
    assert contents(path) == before
    for address in ("/v1/shop", "/v1/sliders", "/v1/products"):
        assert client.get(address).status_code == 200
    assert client.get("/v1/admin", headers=READ).status_code == 200
