"""Bad tables give a clear error, or the bad rows are rejected with a reason and the good ones read."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modiste.errors import SourceError
from modiste.sources.readers import MAX_LINE_BYTES
from modiste.sources.record import Record, Rejection
from modiste.sources.registry import open_source
from modiste.sources.sanitize import MAX_COLUMNS
from tests.sources.shops import photo_files

HEADER = b"id,file_name,category,price\n"
GOOD = b"good,0.jpg,hats,1\n"
GOOD_JSON = b'{"id": "good", "file_name": "0.jpg", "category": "hats", "price": 1}\n'
GOOD_FIELDS = ("hats", {"price": 1})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with four photos, for a table beside them."""
    return photo_files(tmp_path, "0.jpg", "1.jpg", "2.jpg", "3.jpg")


def read_table(folder: Path, data: bytes, suffix: str = ".csv") -> list[Record | Rejection]:
    path = folder / f"table{suffix}"
    path.write_bytes(data)
    source = open_source(str(path))
    rows = list(source.records())
    assert source.count() == len(rows)
    return rows


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def find_good(rows: list[Record | Rejection]) -> Record:
    """Return the record "good", which must be among the rows, with any other rows."""
    (good,) = [row for row in rows if isinstance(row, Record) and row.id == "good"]
    assert (good.category, good.attributes) == GOOD_FIELDS
    return good


class TestRejectedTables:
    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    @pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
    def test_text_that_is_not_utf8_is_rejected(self, folder: Path, encoding: str, suffix: str) -> None:
        text = (GOOD_JSON if suffix == ".jsonl" else HEADER + GOOD).decode()
        with pytest.raises(SourceError, match=r"not UTF-8 text.*Save it as"):
            read_table(folder, text.encode(encoding), suffix)

    def test_million_columns_are_rejected_quickly(self, folder: Path) -> None:
        header = b"id,file_name," + b",".join(b"c%d" % n for n in range(1_000_000))
        started = time.monotonic()
        with pytest.raises(SourceError, match=rf"1,000,002 columns; {MAX_COLUMNS:,} are allowed"):
            read_table(folder, header + b"\n")
        with pytest.raises(SourceError, match="and 999,981 more") as error_info:
            read_table(folder, b"," * 1_000_000 + b"\n")
        assert len(str(error_info.value)) < 1000
        assert time.monotonic() - started < 5

    @pytest.mark.parametrize(
        ("suffix", "data"),
        [
            (".csv", b""),
            (".csv", b"\n\n\n"),
            (".csv", b"id;file_name\na;0.jpg\n"),
            (".csv", b"\x89PNG\r\n\x1a\n\x1b[31m" + bytes(range(256)) * 9),
            (".jsonl", b""),
            (".jsonl", b'[{"id": "a", "file_name": "0.jpg"}]'),
            (".jsonl", b"y" * (MAX_LINE_BYTES + 10)),
            (".parquet", b""),
            (".parquet", b"PAR1" + bytes(100) + b"PAR1"),
            (".parquet", parquet(idname=["a"]).replace(b"idname", b"\xffdname")),
            (".parquet", parquet(id=["a"] * 500, file_name=["0.jpg"] * 500)[:-50]),
        ],
    )
    def test_empty_and_malformed_tables_are_rejected(self, folder: Path, suffix: str, data: bytes) -> None:
        with pytest.raises(SourceError) as error_info:
            read_table(folder, data, suffix)
        assert error_info.value.remedy
        assert "\x1b" not in str(error_info.value)

    @pytest.mark.integration
    def test_damaged_parquet_file_is_rejected(self, folder: Path) -> None:
        data = bytearray(parquet(id=[str(n) for n in range(1000)], file_name=["0.jpg"] * 1000))
        data[100:400] = b"\xff" * 300
        with pytest.raises(SourceError, match="is damaged after row"):
            read_table(folder, bytes(data), ".parquet")

    def test_broken_links_folders_and_pipes_are_rejected(self, folder: Path) -> None:
        (folder / "gone.csv").symlink_to(folder / "nothing")
        (folder / "round.csv").symlink_to(folder / "round.csv")
        (folder / "folder.csv").mkdir()
        os.mkfifo(folder / "pipe.txt")
        for name in ("gone.csv", "round.csv", "folder.csv", "pipe.txt"):
            with pytest.raises(SourceError) as error_info:
                open_source(str(folder / name))
            assert "Give one of" in error_info.value.remedy


class TestRejectedRows:
    @pytest.mark.parametrize(
        ("bad", "detail"),
        [
            (b"caf\xe9,1.jpg,hats,1\n", "not UTF-8"),
            (b"a,1.jpg,caf\xe9,1\n", "not UTF-8"),
            (b"a,1.jpg\n", "2 fields where the header has 4"),
            (b"a,1.jpg,hats,1,2,3\n", "6 fields where the header has 4"),
            (b"a,1.jpg," + b"c" * 2**20 + b",1\n", "field larger than field limit"),
        ],
    )
    def test_malformed_csv_row_is_rejected_and_the_next_is_read(self, folder: Path, bad: bytes, detail: str) -> None:
        rows = read_table(folder, HEADER + bad + GOOD)
        find_good(rows)
        assert isinstance(rows[0], Rejection)
        assert (rows[0].reason, rows[0].row) == ("malformed_row", 2)
        assert detail in rows[0].detail

    @pytest.mark.parametrize(
        ("bad", "detail"),
        [
            (b'{"id": "caf\xe9", "file_name": "1.jpg"}\n', "not UTF-8"),
            (b'{"id": "a", "file_name": "1.jpg", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "not JSON"),
            (b'{"id": "a", "file_name": "1.jpg", "x": ' + b"9" * 5000 + b"}\n", "not JSON"),
            (b'{"id": "a", "file_name": "1.jpg"\n', "not JSON"),
            (b'["a", "1.jpg"]\n', "not a JSON object"),
            (json.dumps({str(n): n for n in range(5000)}).encode() + b"\n", "5,000 fields; 4,096 are allowed"),
            (b'{"id": "a", "x": "' + b"y" * MAX_LINE_BYTES + b'"}\n', "a line over 16 MiB"),
        ],
    )
    def test_malformed_jsonl_row_is_rejected_and_the_next_is_read(self, folder: Path, bad: bytes, detail: str) -> None:
        rows = read_table(folder, bad + GOOD_JSON, ".jsonl")
        find_good(rows)
        assert isinstance(rows[0], Rejection)
        assert (rows[0].reason, rows[0].row) == ("malformed_row", 1)
        assert detail in rows[0].detail

    @pytest.mark.parametrize("depth", range(940, 1000, 3))
    def test_lists_near_the_recursion_limit_are_read_or_rejected(self, folder: Path, depth: int) -> None:
        deep = b'{"id": "a", "file_name": "1.jpg", "x": ' + b"[" * depth + b"]" * depth + b"}\n"
        rows = read_table(folder, deep + GOOD_JSON, ".jsonl")
        find_good(rows)
        assert isinstance(rows[0], Record) or rows[0].reason == "malformed_row"

    @pytest.mark.integration
    def test_invalid_parquet_row_is_rejected_and_the_next_is_read(self, folder: Path) -> None:
        text = pa.Array.from_buffers(
            pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffx")]
        )
        seconds = pa.array([2**50, None], pa.int64()).view(pa.timestamp("s"))
        for column in (text, seconds):
            rows = read_table(folder, parquet(id=["bad", "b"], file_name=["0.jpg", "1.jpg"], x=column), ".parquet")
            assert isinstance(rows[0], Rejection)
            assert (rows[0].reason, rows[0].row) == ("malformed_row", 1)
            assert isinstance(rows[1], Record)

    def test_photo_paths_that_are_not_files_are_rejected(self, folder: Path) -> None:
        (folder / "gone.jpg").symlink_to(folder / "nothing.jpg")
        (folder / "round.jpg").symlink_to(folder / "round.jpg")
        os.mkfifo(folder / "pipe.jpg")
        rows = read_table(folder, HEADER + b"a,gone.jpg,x,1\nb,round.jpg,x,1\nc,pipe.jpg,x,1\nd,.,x,1\n" + GOOD)
        find_good(rows)
        assert [row.reason for row in rows if isinstance(row, Rejection)] == ["missing_photo"] * 4

    def test_table_without_rows_has_no_records(self, folder: Path) -> None:
        assert read_table(folder, HEADER) == []


class TestValues:
    def test_non_finite_numbers_are_left_out_or_stay_text(self, folder: Path) -> None:
        rows = read_table(folder, b'{"id": "a", "file_name": "0.jpg", "x": NaN, "y": Infinity, "z": 1e999}\n', ".jsonl")
        assert isinstance(rows[0], Record)
        assert rows[0].attributes == {}
        rows = read_table(folder, HEADER + b"a,0.jpg,nan,inf\nb,1.jpg,x,1e999\nc,2.jpg,x,nan\n")
        assert [row.attributes for row in rows if isinstance(row, Record)] == [{"price": "inf"}, {"price": "1e999"}, {}]

    def test_integer_beyond_64_bits_is_text(self, folder: Path) -> None:
        rows = read_table(
            folder,
            b'{"id": "a", "file_name": "0.jpg", "x": ' + b"9" * 4000 + b', "y": -9223372036854775808}\n',
            ".jsonl",
        )
        assert isinstance(rows[0], Record)
        assert rows[0].attributes == {"x": "9" * 4000, "y": -(2**63)}

    def test_ids_that_look_like_paths_or_formulas_are_kept(self, folder: Path) -> None:
        names = ["../../etc/passwd", "C:\\x", "=cmd|'/C calc'!A0", "@SUM(A1)"]
        lines = [json.dumps({"id": id_, "file_name": f"{n}.jpg"}) for n, id_ in enumerate(names)]
        rows = read_table(folder, "\n".join(lines).encode(), ".jsonl")
        assert [row.id for row in rows] == names
        assert [row.photo for row in rows if isinstance(row, Record)] == [folder / f"{n}.jpg" for n in range(4)]

    @pytest.mark.integration
    def test_id_of_bytes_is_decoded_as_utf8(self, folder: Path) -> None:
        rows = read_table(folder, parquet(id=[b"a1", b"a\xff"], file_name=["0.jpg", "1.jpg"]), ".parquet")
        assert [row.id for row in rows] == ["a1", "a\ufffd"]
