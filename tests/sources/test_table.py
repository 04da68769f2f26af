"""Tables of files and addresses: the same products from CSV, JSONL and Parquet, and no file from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modiste.errors import SourceError
from modiste.sources.record import Record, Rejection, Url
from modiste.sources.table import TableSource
from tests.sources.shops import photo_files

PRODUCTS: list[dict[str, Any]] = [
    {"id": "a", "file_name": "photos/1.jpg", "url": None, "category": "Bags", "price": 9.5, "Heel Height": 3},
    {"id": "b", "file_name": None, "url": "https://shop.example/2.jpg", "category": "Eyewear", "price": 1.0},
    {"id": None, "file_name": "photos/3.jpg", "url": None, "category": None, "price": None},
]


def table(folder: Path, suffix: str, products: list[dict[str, Any]] = PRODUCTS) -> Path:
    photo_files(folder, "photos/1.jpg", "photos/3.jpg")
    path = folder / f"shop{suffix}"
    columns = list(dict.fromkeys(name for product in products for name in product))
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([{c: p.get(c) for c in columns} for p in products]), path)
    elif suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(product) for product in products))
    else:
        mark = "\t" if suffix == ".tsv" else ","
        lines = [mark.join("" if p.get(c) is None else str(p[c]) for c in columns) for p in products]
        path.write_text("\ufeff" + "\r\n".join([mark.join(columns), *lines]), "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_products(tmp_path: Path, suffix: str) -> None:
    source = TableSource(table(tmp_path, suffix))
    assert source.count() == 3
    assert list(source.records()) == [
        Record("a", "bags", tmp_path / "photos/1.jpg", {"price": 9.5, "heel_height": 3}),
        Record("b", "eyewear", Url("https://shop.example/2.jpg"), {"price": 1.0}),
        Record("photos/3", "uncategorised", tmp_path / "photos/3.jpg", {}),
    ]


def test_url_without_id_gets_a_stable_id(tmp_path: Path) -> None:
    path = table(tmp_path, ".jsonl", [{"url": "https://shop.example/x.jpg"}, {"url": "https://shop.example/y.jpg"}])
    one, two = TableSource(path).records()
    assert one.id != two.id
    assert [one, two] == list(TableSource(path).records())


def test_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    path = table(tmp_path, ".jsonl", [{"id": "\ud800", "url": "https://shop.example/\ud800", "name": "a\ud800"}])
    assert list(TableSource(path).records()) == [
        Record("?", "uncategorised", Url("https://shop.example/?"), {"name": "a?"})
    ]


def test_category_column_can_be_chosen(tmp_path: Path) -> None:
    products = [{"file_name": "photos/1.jpg", "category": "Bags", "kind": "Tote"}]
    (record,) = TableSource(table(tmp_path, ".csv", products), category_column="Kind").records()
    assert isinstance(record, Record)
    assert record.category == "tote"
    assert record.attributes == {"source_category": "Bags", "kind": "Tote"}


@pytest.mark.parametrize(
    ("file_name", "reason"),
    [
        ("../secret.jpg", "outside_folder"),
        ("photos/../../secret.jpg", "outside_folder"),
        ("/etc/passwd", "outside_folder"),
        ("link.jpg", "outside_folder"),
        ("..", "outside_folder"),
        (".", "missing_photo"),
        ("photos", "missing_photo"),
        ("photos/2.jpg", "missing_photo"),
        ("x" * 5000, "missing_photo"),
        ("null\0byte", "missing_photo"),
        ("", "missing_photo"),
    ],
)
def test_missing_photos_and_files_outside_the_folder_are_rejected(tmp_path: Path, file_name: str, reason: str) -> None:
    photo_files(tmp_path, "secret.jpg")
    folder = tmp_path / "shop"
    path = table(folder, ".jsonl", [{"file_name": file_name}])
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (row,) = TableSource(path).records()
    assert isinstance(row, Rejection)
    assert (row.reason, row.row) == (reason, 1)


def test_malformed_rows_are_rejected_and_others_read(tmp_path: Path) -> None:
    photo_files(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "shop.csv").write_text('id,file_name\na,1.jpg,extra\n\nb\n"c",2.jpg\n' + "d," + "x" * 200_000 + "\n")
    source = TableSource(tmp_path / "shop.csv")
    rows = list(source.records())
    assert [(type(row).__name__, row.id) for row in rows] == [
        ("Rejection", ""),
        ("Rejection", ""),
        ("Record", "c"),
        ("Rejection", ""),
    ]
    assert source.count() == 4
    (tmp_path / "shop.jsonl").write_text('{"file_name": "1.jpg"}\n{"file_na\n[1]\n\n{"file_name": "2.jpg"}\n')
    source = TableSource(tmp_path / "shop.jsonl")
    assert [(row.id, getattr(row, "row", None)) for row in source.records()] == [
        ("1", None),
        ("", 2),
        ("", 3),
        ("2", None),
    ]
    assert source.count() == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"id,photo\n1,2\n"), ("b.jsonl", b"garbage"), ("c.parquet", b"PAR1 no"), ("d.csv", b"")],
)
def test_table_without_photo_columns_raises(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError):
        TableSource(tmp_path / name)
