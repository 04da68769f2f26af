"""CSV, JSONL or Parquet table of products, with photos named by `file_name` (beside the table) or `url`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa

from modiste.errors import SourceError
from modiste.sources.normalize import make_category_reader, parse_attributes, reject_duplicates, replace_surrogates
from modiste.sources.readers import JSONL_SUFFIXES, count_parquet_rows, read_columns, read_rows
from modiste.sources.record import PhotoRef, Record, Rejection, Url
from modiste.sources.sanitize import MAX_COLUMNS, escape_to_one_line

METADATA_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""Hugging Face's names for the table inside a folder of images."""

_MAX_LISTED_COLUMNS = 20  # columns that a message names


class TableSource:
    """Products of a table with a column `file_name` or `url`, and optionally `id`, `category` and others.

    Without `id`, a product's id is its file name without the suffix, or a hash of its url. A `file_name` is relative to
    the table's folder and must stay inside `root` (by default that folder): otherwise the row is a rejection,
    `outside_folder`. Malformed rows and missing photos are rejections too. Raises SourceError if the table cannot be
    read or has neither column.
    """

    def __init__(self, path: Path, *, category_column: str | None = None, root: Path | None = None) -> None:
        self.path = path
        self.name = f"table {path}"
        self._folder = path.parent
        self._root = (root or path.parent).resolve()
        try:
            self._columns = read_columns(path)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise SourceError(
                f"{path} cannot be read: {error}.", remedy="Give a CSV, JSONL or Parquet file in UTF-8."
            ) from error
        if not {"file_name", "url"} & set(self._columns):
            raise SourceError(
                f"{path} has no column `file_name` or `url`; its columns are: "
                f"{_format_columns(self._columns) or 'none'}.",
                remedy="Rename the column with the photos' files to `file_name`, that with addresses to `url`.",
            )
        # the objects of a JSONL are counted one by one: they may have different fields
        if len(self._columns) > MAX_COLUMNS and path.suffix.lower() not in JSONL_SUFFIXES:
            raise SourceError(
                f"{path} has {len(self._columns):,} columns; {MAX_COLUMNS:,} are allowed.",
                remedy="Remove columns that do not describe a product.",
            )
        self._category = make_category_reader(self._columns, category_column, self.name)
        self._used = ["id", "file_name", "url"] + (["category"] if category_column is None else [])

    def count(self) -> int:
        """Return the number of rows, malformed ones included."""
        if self.path.suffix.lower() == ".parquet":
            return count_parquet_rows(self.path)
        return sum(1 for _ in read_rows(self.path))

    def records(self) -> Iterator[Record | Rejection]:
        """Yield every row in order."""
        return reject_duplicates(self._rows())

    def _rows(self) -> Iterator[Record | Rejection]:
        for number, row in read_rows(self.path):
            if isinstance(row, str):
                yield Rejection("", "malformed_row", row, number)
                continue
            try:
                yield self._parse_row(number, row)
            except RecursionError:
                yield Rejection("", "malformed_row", "lists or objects are nested too deeply", number)

    def _parse_row(self, number: int, row: Mapping[str, Any]) -> Record | Rejection:
        file_name, url = _to_location(row.get("file_name")), _to_location(row.get("url"))
        product = _to_text(row.get("id"))
        photo: PhotoRef
        if file_name:
            photo = self._folder / file_name
            try:
                # resolved, so that neither `..` nor a link reaches files outside the folder
                outside = not photo.resolve().is_relative_to(self._root)
                missing = not photo.is_file()
            # a name too long for the file system, an unreadable folder, or circular links
            except (OSError, RuntimeError) as error:
                why = error.strerror if isinstance(error, OSError) else "circular links"
                return Rejection(product, "missing_photo", f"{file_name[:80]}: {why}", number)
            if outside:
                detail = f"{file_name} is outside {self._root}"
                return Rejection(product, "outside_folder", detail, number)
            if missing:
                return Rejection(product, "missing_photo", f"{file_name} does not exist", number)
            product = product or PurePath(file_name).with_suffix("").as_posix()
        elif url:
            product = product or hashlib.sha256(url.encode()).hexdigest()[:16]
            photo = Url(url)
        else:
            return Rejection(product, "missing_photo", "neither a file_name nor a url", number)
        return Record(product, self._category(row), photo, parse_attributes(row, without=self._used))


def _to_text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return "" if value is None else replace_surrogates(str(value)).strip()


def _to_location(value: object) -> str:
    """Return the location of a photo; empty if no file can have that name."""
    text = _to_text(value)
    return "" if "\0" in text else text


def _format_columns(columns: Sequence[str]) -> str:
    """Format the first columns for a message."""
    more = f" and {len(columns) - _MAX_LISTED_COLUMNS:,} more" if len(columns) > _MAX_LISTED_COLUMNS else ""
    return ", ".join(escape_to_one_line(name[:80]) for name in columns[:_MAX_LISTED_COLUMNS]) + more
