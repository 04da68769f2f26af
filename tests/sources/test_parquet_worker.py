"""Parquet that decompresses to more than the memory: good rows are read in bounded memory, or it is rejected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modiste.errors import SourceError
from modiste.sources.parquet_worker import MAX_BATCH_BYTES, read_batches
from modiste.sources.readers import read_parquet
from modiste.sources.record import Record, Rejection
from modiste.sources.registry import open_source
from tests.sources.shops import photo_files

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory cannot be bounded")
MB = 2**20


def write_parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path, compression="zstd", compression_level=19)
    return path


def repeated(value: Any, times: int) -> pa.Array:
    """Return one value many times, which Parquet stores once."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([value]))


def product_columns(count: int) -> dict[str, list[str]]:
    return {"id": [str(n) for n in range(count)], "file_name": ["0.jpg"] * count}


# In a process that may not take more: a bound on what reads the table, too.
BOUNDED_PROGRAM = """
import json, re, resource, sys
from collections import Counter
from modiste.sources.sanitize import record_problem
from modiste.sources.record import Record
from modiste.sources.registry import open_source
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 4 * 2**30))
kinds = Counter()
for row in open_source(sys.argv[1]).records():
    why = record_problem(row) if isinstance(row, Record) else (row.reason, row.detail)
    kinds["good" if why is None else why[0]] += 1
# Not getrusage: its largest is that of the process that began this one, if that was larger.
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())
print(json.dumps({"kinds": kinds, "mb": int(peak[1]) / 1024}))
"""


@LINUX
def test_decompression_bomb_is_rejected_in_bounded_memory(tmp_path: Path) -> None:
    photo_files(tmp_path, "0.jpg")
    path = write_parquet(tmp_path / "bomb.parquet", **product_columns(300), words=repeated("x" * (10 * MB), 300))
    assert path.stat().st_size < 100_000
    process = subprocess.run(
        [sys.executable, "-c", BOUNDED_PROGRAM, str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert report["kinds"] == {"malformed_row": 300}  # an attribute of ten million characters is none
    assert report["mb"] < 600


@LINUX
def test_oversized_row_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    photo_files(tmp_path, "0.jpg", "1.jpg")
    words = ["a", "y" * (MAX_BATCH_BYTES + 1), "b"]
    path = write_parquet(tmp_path / "large.parquet", id=["a", "b", "c"], file_name=["0.jpg"] * 3, words=words)
    first, second, third = open_source(str(path)).records()
    assert isinstance(second, Rejection)
    assert (second.reason, second.row) == ("malformed_row", 2)
    assert f"{MAX_BATCH_BYTES:,} are allowed" in second.detail
    for row, word in ((first, "a"), (third, "b")):
        assert isinstance(row, Record)
        assert row.attributes == {"words": word}


@LINUX
def test_row_that_is_gigabytes_in_python_is_rejected(tmp_path: Path) -> None:
    many = pa.ListArray.from_arrays(pa.array([0, 20_000_000], pa.int32()), pa.nulls(20_000_000, pa.bool_()))
    path = write_parquet(tmp_path / "lists.parquet", **product_columns(1), many=many)
    assert path.stat().st_size < 100_000
    ((_, row),) = read_parquet(path)
    assert isinstance(row, str)
    assert "are allowed" in row


@LINUX
def test_exceeded_memory_limit_raises(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "page.parquet", **product_columns(1), words=["z" * (500 * MB)])
    with pytest.raises(SourceError, match=r"cannot be read after row 0: .* more than 0\.75 GB") as caught:
        list(read_batches(path, 1024, memory_bytes=768 * MB))
    assert caught.value.remedy


def test_rows_equal_those_of_the_table_for_every_column_type(tmp_path: Path) -> None:
    count = 3000
    columns: dict[str, Any] = {
        "id": [str(n) for n in range(count)],
        "word": pa.array([None if n % 7 == 0 else f"w{n % 5}" for n in range(count)]).dictionary_encode(),
        "list": [[n, n + 1] for n in range(count)],
        "struct": [{"a": n, "b": [str(n)]} for n in range(count)],
        "map": pa.array([[("k", n)] for n in range(count)], pa.map_(pa.string(), pa.int64())),
    }
    path = tmp_path / "many.parquet"
    table = pa.table(columns)
    pq.write_table(table, path, row_group_size=700)
    rows = list(read_parquet(path, batch_rows=256))
    assert [number for number, _ in rows] == list(range(1, count + 1))
    assert [row for _, row in rows] == table.to_pylist()
    assert max(batch.num_rows for batch in read_batches(path, 256) if not isinstance(batch, int)) <= 256


def test_table_without_rows_gives_no_rows(tmp_path: Path) -> None:
    assert list(read_parquet(write_parquet(tmp_path / "none.parquet", id=pa.array([], pa.string())))) == []


@LINUX
def test_stopping_early_leaves_no_process(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", **product_columns(50_000))
    before = children()
    rows = read_parquet(path, batch_rows=16)
    assert next(rows)[0] == 1
    assert len(children()) == len(before) + 1
    rows.close()  # type: ignore[attr-defined]
    time.sleep(0.1)
    assert children() == before


def children() -> set[str]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(path.read_text().split()) if path.exists() else set()
