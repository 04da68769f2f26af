"""Data sets in Hugging Face's Parquet layout, written here as the hub writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modiste.errors import MissingExtra, SourceError
from modiste.sources import huggingface
from modiste.sources.huggingface import HuggingFaceSource, find_parquet_files
from modiste.sources.record import Record, Rejection
from tests.sources.shops import jpeg, photo_files

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
FEATURES = {
    "image": {"_type": "Image"},
    "label": {"names": ["Boots", "Tote Bags"], "_type": "ClassLabel"},
    "price": {"dtype": "float64", "_type": "Value"},
}
ROWS: list[dict[str, Any]] = [
    {"image": {"bytes": jpeg(1), "path": "1.jpg"}, "label": 0, "price": 9.5},
    {"image": {"bytes": jpeg(2), "path": None}, "label": 1, "price": None},
    {"image": {"bytes": None, "path": None}, "label": -1, "price": 1.0},
]
CARD = """---
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': Clogs
          '1': Clutches
---
# A data set
"""


def data_set(folder: Path, rows: list[dict[str, Any]] = ROWS, *, metadata: bool = True) -> Path:
    (folder / "data").mkdir(parents=True)
    schema = pa.schema([("image", IMAGE), ("label", pa.int64()), ("price", pa.float64())])
    if metadata:
        schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})
    for split in ("test", "train"):
        pq.write_table(pa.Table.from_pylist(rows, schema), folder / f"data/{split}-00000-of-00001.parquet")
    return folder


def open_local(folder: Path, **options: Any) -> HuggingFaceSource:
    return HuggingFaceSource(folder, find_parquet_files(folder), **options)


def test_every_split_is_read_with_its_class_names(tmp_path: Path) -> None:
    source = open_local(data_set(tmp_path))
    rows = list(source.records())
    assert source.count() == len(rows) == 6
    assert rows[:2] == [
        Record("data/test-00000-of-00001/1", "boots", jpeg(1), {"label": "Boots", "price": 9.5}),
        Record("data/test-00000-of-00001/2", "tote bags", jpeg(2), {"label": "Tote Bags"}),
    ]
    assert isinstance(rows[2], Rejection)
    assert rows[2].reason == "missing_photo"
    assert rows[3].id == "data/train-00000-of-00001/1"


def test_class_names_are_read_from_the_readme(tmp_path: Path) -> None:
    data_set(tmp_path, metadata=False)
    (tmp_path / "README.md").write_text(CARD)
    records = [row for row in open_local(tmp_path).records() if isinstance(row, Record)]
    assert [row.category for row in records] == ["clogs", "clutches"] * 2


@pytest.mark.parametrize("card", ["", "# no front matter", "---\n: : :\n---\n", "---\ndataset_info: 3\n---\n"])
def test_category_without_class_names_is_the_class_number(tmp_path: Path, card: str) -> None:
    data_set(tmp_path, metadata=False)
    (tmp_path / "README.md").write_text(card)
    assert next(open_local(tmp_path).records()).category == "0"  # type: ignore[union-attr]


def test_kaggle_columns_and_photo_paths_are_read(tmp_path: Path) -> None:
    photo_files(tmp_path, "data/a.jpg", "b.jpg")
    photo_files(tmp_path.parent, "outside.jpg")
    rows = [
        {"id": n, "masterCategory": "Accessories", "subCategory": "Watches", "image": {"bytes": None, "path": path}}
        for n, path in enumerate(["a.jpg", "../b.jpg", "../../outside.jpg"])
    ]
    pq.write_table(pa.Table.from_pylist(rows, pa.schema([
        ("id", pa.int64()), ("masterCategory", pa.string()), ("subCategory", pa.string()), ("image", IMAGE),
    ])), tmp_path / "data" / "train.parquet")  # fmt: skip
    first, second, third = open_local(tmp_path).records()
    assert isinstance(first, Record)
    assert (first.id, first.category, first.photo) == ("0", "watches", tmp_path / "data/a.jpg")
    assert isinstance(second, Record)
    assert isinstance(third, Rejection)


def test_category_column_can_be_chosen(tmp_path: Path) -> None:
    assert next(open_local(data_set(tmp_path), category_column="price").records()).category == "9.5"  # type: ignore[union-attr]
    with pytest.raises(SourceError, match="no column 'colour'"):
        open_local(tmp_path, category_column="colour")


def test_missing_photo_column_and_damage_raise(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="have no column of photos"):
        open_local(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="not a readable Parquet file"):
        open_local(tmp_path)


class Client:
    """Stand-in for huggingface_hub with one data set, `a/b`, on disk."""

    folder = Path()
    wanted: list[str] | None = None

    class HfApi:
        def list_repo_files(self, name: str, **options: object) -> list[str]:
            assert options == {"repo_type": "dataset", "revision": "v2" if name == "a/b" else None}
            if name != "a/b":
                raise RuntimeError("Connection refused")
            return [path.relative_to(Client.folder).as_posix() for path in Client.folder.rglob("*.*")]

    @staticmethod
    def snapshot_download(name: str, **options: Any) -> str:
        Client.wanted = options["allow_patterns"]
        return str(Client.folder)


def test_only_parquet_files_of_a_data_set_are_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", Client)  # type: ignore[arg-type]
    Client.folder = photo_files(tmp_path / "plain", "bags/a.jpg")
    assert huggingface.download_dataset("a/b@v2") == Client.folder
    assert Client.wanted is None
    Client.folder = data_set(tmp_path / "parquet")
    huggingface.download_dataset("a/b@v2")
    assert Client.wanted == ["*.parquet", "README.md"]
    with pytest.raises(SourceError, match="hf:c/d cannot be downloaded: Connection refused"):
        huggingface.download_dataset("c/d")


def test_missing_extra_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"hf:owner/name needs huggingface-hub.*modiste\[hub\]"):
        huggingface.download_dataset("owner/name")


CARDS = [
    "- a",
    "features: 3",
    "features:\n  - dtype: {class_label: {names: {'0': a}}}",
    "features:\n  - {name: label, dtype: {class_label: {names: {b: a}}}}",
    "features:\n  - {name: [label], dtype: {class_label: {names: {'0': a}}}}",
    "features: " + "[" * 3000,
]


@pytest.mark.parametrize("info", CARDS)
def test_card_of_another_layout_is_ignored(tmp_path: Path, info: str) -> None:
    root = data_set(tmp_path, metadata=False)
    info = info.replace("\n", "\n  ")
    (root / "README.md").write_text(f"---\ndataset_info:\n  {info}\n---\n")
    assert len([row for row in open_local(root).records() if isinstance(row, Record)]) == 4


def test_metadata_nested_too_deeply_is_ignored(tmp_path: Path) -> None:
    schema = pa.schema([("image", IMAGE)]).with_metadata({"huggingface": "[" * 100_000})
    (tmp_path / "data").mkdir()
    rows = [{"image": row["image"]} for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "data" / "a.parquet")
    assert len([row for row in open_local(tmp_path).records() if isinstance(row, Record)]) == 2
