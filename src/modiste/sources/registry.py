"""Source registry: choose the type of a source from its path or name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from modiste.errors import SourceError
from modiste.sources import huggingface
from modiste.sources.folder import FolderSource, has_photos
from modiste.sources.huggingface import HuggingFaceSource
from modiste.sources.kaggle import KaggleSource, is_kaggle_folder
from modiste.sources.normalize import normalize_category, snake_case
from modiste.sources.readers import TABLE_SUFFIXES
from modiste.sources.record import Record, Rejection, Source
from modiste.sources.table import METADATA_NAMES, TableSource

SUPPORTED_SOURCES = (
    "Give one of: a Kaggle fashion folder (styles.csv and images/); a folder with one folder of photos per "
    "category; a CSV, JSONL or Parquet table with a column file_name or url; a Hugging Face data set "
    "(hf:owner/name, or its folder of Parquet files); kaggle:owner/name; or sample."
)


def open_source(source: str, *, category_column: str | None = None) -> Source:
    """Open the source that `source` names: a path, `hf:owner/name`, `kaggle:owner/name` or `sample`.

    `category_column` takes the category from that column or attribute instead of the source's own choice. Only a
    header, a schema or a listing is read. (`hf:` and `kaggle:` download.) Raises SourceError if the source is missing,
    empty or of an unknown kind, or has no such column and MissingExtra if `hf:` or `kaggle:` needs the extra `hub`.
    """
    if source == "sample":
        from modiste.sources.sample import SampleSource

        sample = SampleSource()
        return sample if category_column is None else _RecategorisedSource(sample, category_column)
    if source.startswith("hf:"):
        return _open_folder(huggingface.download_dataset(source[3:]), category_column, source)
    if source.startswith("kaggle:"):
        return _open_folder(_kaggle_download(source[7:]), category_column, source)
    path = Path(source).expanduser()
    if not path.exists():
        raise SourceError(f"There is no file or folder {source!r}.", remedy=SUPPORTED_SOURCES)
    return _open_folder(path, category_column, source) if path.is_dir() else _open_file(path, category_column)


def _open_folder(folder: Path, category_column: str | None, source: str) -> Source:
    if is_kaggle_folder(folder):
        return KaggleSource(folder, category_column=category_column)
    # an unpacked archive often has one more level of folders
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if is_kaggle_folder(inner):
            return KaggleSource(inner, category_column=category_column)
    for name in METADATA_NAMES:
        if (folder / name).is_file():
            # in the cache of huggingface-hub, files are links into `blobs`, two levels up
            within = folder.parent.parent if (folder.parent.parent / "blobs").is_dir() else None
            return TableSource(folder / name, category_column=category_column, root=within)
    files = huggingface.find_parquet_files(folder)
    if files:
        return HuggingFaceSource(folder, files, category_column=category_column)
    if not has_photos(folder):
        raise SourceError(f"{source} has no photos.", remedy=SUPPORTED_SOURCES)
    if category_column is not None:
        raise SourceError(
            f"{source} is a folder of photos: it has no column {category_column!r}.",
            remedy="Leave out `--category-column`, or add a metadata.csv with the columns `file_name` and "
            f"`{category_column}`.",
        )
    return FolderSource(folder)


def _open_file(path: Path, category_column: str | None) -> Source:
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise SourceError(f"{path} is not a CSV, JSONL or Parquet table.", remedy=SUPPORTED_SOURCES)
    if suffix == ".parquet" and huggingface.has_photo_column(path):
        return HuggingFaceSource(path.parent, [path], category_column=category_column)
    return TableSource(path, category_column=category_column)


def _kaggle_download(name: str) -> Path:
    try:
        import kagglehub
    except ImportError:
        raise huggingface.missing_package(f"kaggle:{name}", "kagglehub") from None
    try:
        return Path(kagglehub.dataset_download(name))
    except Exception as error:  # kagglehub raises requests' errors, its own and plain ValueError alike
        raise SourceError(
            f"The data set kaggle:{name} cannot be downloaded: {error}",
            remedy="Check the name (kaggle:owner/name), the connection and your Kaggle credentials.",
        ) from error


class _RecategorisedSource:
    """A source whose category is one of its attributes."""

    def __init__(self, source: Source, column: str) -> None:
        self.name = source.name
        self._source = source
        self._column = snake_case(column)
        first = next((row for row in source.records() if isinstance(row, Record)), None)
        if first is None or self._column not in first.attributes:
            columns = ", ".join(first.attributes) if first else "none"
            raise SourceError(
                f"{source.name} has no column {column!r} to take the category from.",
                remedy=f"Give --category-column one of: {columns}.",
            )

    def count(self) -> int | None:
        return self._source.count()

    def records(self) -> Iterator[Record | Rejection]:
        for row in self._source.records():
            if isinstance(row, Record):
                yield replace(row, category=normalize_category(row.attributes.get(self._column)))
            else:
                yield row
