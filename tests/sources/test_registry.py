"""Sources are recognised by their content."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from modiste.errors import MissingExtra, SourceError
from modiste.sources.folder import FolderSource
from modiste.sources.huggingface import HuggingFaceSource
from modiste.sources.kaggle import KaggleSource
from modiste.sources.record import Source
from modiste.sources.registry import open_source
from modiste.sources.table import TableSource
from tests.sources.shops import kaggle_folder, photo_files
from tests.sources.test_huggingface import data_set


def metadata(folder: Path) -> Path:
    photo_files(folder, "a.jpg")
    (folder / "metadata.csv").write_text("file_name,category\na.jpg,bags\n")
    return folder


def test_each_type_is_recognised(tmp_path: Path) -> None:
    csv = metadata(tmp_path / "t") / "metadata.csv"
    kinds: dict[Path, type] = {
        kaggle_folder(tmp_path / "k"): KaggleSource,
        kaggle_folder(tmp_path / "unpacked" / "inner").parent: KaggleSource,
        photo_files(tmp_path / "f", "bags/a.jpg"): FolderSource,
        csv.parent: TableSource,
        csv: TableSource,
        data_set(tmp_path / "h"): HuggingFaceSource,
        tmp_path / "h/data/train-00000-of-00001.parquet": HuggingFaceSource,
    }
    for path, kind in kinds.items():
        source = open_source(str(path))
        assert isinstance(source, kind)
        assert isinstance(source, Source)
        assert source.count() == len(list(source.records())) > 0


def test_unsupported_path_raises_naming_the_supported_sources(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "styles.csv").write_text("id\n1\n")
    for name in ("nothing", "empty", "notes.txt", "k"):
        with pytest.raises(SourceError, match=r"styles\.csv and images/.*hf:owner/name.*sample"):
            open_source(str(tmp_path / name))


def test_category_column_of_a_photo_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"Leave out `--category-column`, or add a metadata\.csv"):
        open_source(str(photo_files(tmp_path, "bags/a.jpg")), category_column="kind")


def test_table_in_the_huggingface_cache_may_link_to_its_blobs(tmp_path: Path) -> None:
    snapshot = tmp_path / "datasets--a--b" / "snapshots" / "123"
    photo_files(tmp_path / "datasets--a--b", "blobs/f00", "snapshots/123/other.txt")
    (snapshot / "a.jpg").symlink_to("../../blobs/f00")
    (snapshot / "metadata.csv").write_text("file_name\na.jpg\n")
    assert [row.id for row in open_source(str(snapshot)).records()] == ["a"]


@pytest.mark.parametrize(("source", "module"), [("hf:a/b", "huggingface_hub"), ("kaggle:a/b", "kagglehub")])
def test_missing_extra_raises(source: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"modiste\[hub\]"):
        open_source(source)


def test_kaggle_source_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        @staticmethod
        def dataset_download(name: str) -> str:
            if name != "owner/name":
                raise ValueError("Invalid dataset handle")
            return str(kaggle_folder(tmp_path / "myntradataset").parent)

    monkeypatch.setitem(sys.modules, "kagglehub", Client)  # type: ignore[arg-type]
    assert isinstance(open_source("kaggle:owner/name"), KaggleSource)
    with pytest.raises(SourceError, match="Invalid dataset handle"):
        open_source("kaggle:nonsense")
