"""Stages on Ray's workers give the same shop as one process, bit for bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from modiste import Shop
from modiste.distributed.ray_executor import RayExecutor
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.index import index_shop
from modiste.pipeline.ingest import ingest
from modiste.sources.record import Record, Rejection
from small import Listed


@pytest.fixture
def records(sample_records: list[Record], tmp_path: Path) -> list[Record | Rejection]:
    """Return photos as bytes and as files, some of which are invalid."""
    rows: list[Record | Rejection] = list(sample_records[:80])
    lone = tmp_path / "one.jpg"
    first = sample_records[80]
    assert isinstance(first.photo, bytes)
    lone.write_bytes(first.photo)
    rows += [
        Record("file", "bags", lone),
        Record("missing", "bags", tmp_path / "none.jpg"),
        Record("broken", "bags", b"no photo"),
        Rejection("row", "malformed_row", "A row."),
        Record("twice", "bags", first.photo),
        rows[0],
    ]
    return rows


def test_ingest_on_ray_equals_ingest_in_one_process(
    records: list[Record | Rejection], tmp_path: Path, fleet: RayExecutor
):
    local = ingest(Listed(records), tmp_path / "local", frame=(64, 48))
    remote = ingest(Listed(records), tmp_path / "remote", frame=(64, 48), executor=fleet)
    assert (
        remote.rejected
        == local.rejected
        == {"missing_photo": 1, "not_a_photo": 1, "malformed_row": 1, "duplicate_photo": 1, "duplicate_id": 1}
    )
    assert remote.catalogue_hash == local.catalogue_hash
    assert (tmp_path / "remote/rejected.csv").read_text() == (tmp_path / "local/rejected.csv").read_text()
    again = ingest(Listed(records), tmp_path / "remote", executor=fleet)
    assert (again.added, again.changed, again.unchanged) == (0, 0, local.added)


@pytest.mark.parametrize("by", ["category", "mixture", "kmeans"])
def test_codes_and_clusters_on_ray_equal_those_of_one_process(
    shop_copy: Path, tmp_path: Path, fleet: RayExecutor, by: str
):
    other = tmp_path / "other"
    shutil.copytree(shop_copy, other)
    encode_shop(shop_copy, threads=2)
    encode_shop(other, executor=fleet)
    local, remote = (Shop.open(path, need="encodings").encodings for path in (shop_copy, other))
    np.testing.assert_array_equal(local.mean, remote.mean)
    np.testing.assert_array_equal(local.std, remote.std)
    one = cluster_shop(shop_copy, method=by)
    many = cluster_shop(other, method=by, executor=fleet)
    assert json.dumps(one.to_dict()) == json.dumps(many.to_dict())
    index_shop(other, tau=0.1, executor=fleet)
    index_shop(shop_copy, tau=0.1)
    code = local.code[5]
    assert Shop.open(other).similar(code, 20) == Shop.open(shop_copy).similar(code, 20)
