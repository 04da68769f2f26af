"""A CSV, JSONL or Parquet table of products, photos named by `file_name` (beside the table) or `url`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa

from modiste.errors import SourceError
from modiste.sources.normalize import (
    make_category_reader,
    parse_attributes,
    reject_duplicates,
    replace_surrogates,
)
from modiste.sources.readers import (
    JSONL_SUFFIXES,
    count_parquet_rows,
    read_columns,
    read_rows,
)
from modiste.sources.record import (
    PhotoRef,
    Record,
    Rejection,
    Url,
)
from modiste.sources.sanitize import MAX_COLUMNS, escape_to_one_line

METADATA_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""What Hugging Face calls the table inside a folder of images."""

_MAX_LISTED_COLUMNS = 20  # columns that a message names


class TableSource:
    """Products of a table with a column `file_name` or `url`, and, if it has them, `id`, `category`, others.

    Without `id`, a product's id is its file name without the suffix, or a hash of its url. A `file_name` is
    relative to the table's folder and may not lead out of `within` (that folder, unless said otherwise): such
    a row is a rejection, `outside-folder`. Malformed rows and missing photos are rejections too.
    Raises SourceError where the table cannot be read or has neither column.
    """

    def __init__(self, path: Path, *, category_column: str | None = None, root: Path | None = None) -> None:
        self.path = path
        self.name = f"table {path}"
        self._folder = path.parent
        self._root = (root or path.parent).resolve()
        self._columns: list[str] = self._checked(lambda: read_columns(path))
        if not {"file_name", "url"} & set(self._columns):
            raise SourceError(
                f"{path} has neither a column file_name nor url; its columns are: "
                f"{_format_columns(self._columns) or 'none'}.",
                remedy="Name the column of the photos' files file_name, or that of their addresses url.",
            )
        # each object of a JSONL is counted by itself: they need not have the same fields
        if len(self._columns) > MAX_COLUMNS and path.suffix.lower() not in JSONL_SUFFIXES:
            raise SourceError(
                f"{path} has {len(self._columns):,} columns; {MAX_COLUMNS:,} are allowed.",
                remedy="Leave out those that say nothing of a product.",
            )
        self._category = make_category_reader(self._columns, category_column, self.name)
        self._used = ["id", "file_name", "url"] + (["category"] if category_column is None else [])

    def count(self) -> int:
        """How many rows the table has, malformed ones included."""
        if self.path.suffix.lower() == ".parquet":
            return count_parquet_rows(self.path)
        return sum(1 for _ in read_rows(self.path))

    def records(self) -> Iterator[Record | Rejection]:
        """Every row in order."""
        return reject_duplicates(self._rows())

    def _rows(self) -> Iterator[Record | Rejection]:
        for number, row in read_rows(self.path):
            if isinstance(row, str):
                yield Rejection("", "malformed-row", row, number)
                continue
            try:
                yield self._parse_row(number, row)
            except RecursionError:
                yield Rejection("", "malformed-row", "lists or objects too deep in each other", number)

    def _parse_row(self, number: int, row: Mapping[str, Any]) -> Record | Rejection:
        file_name, url = _to_location(row.get("file_name")), _to_location(row.get("url"))
        product = _to_text(row.get("id"))
        photo: PhotoRef
        if file_name:
            photo = self._folder / file_name
            try:
                # resolved, so that neither `..` nor a link reaches files that are no part of the folder
                outside = not photo.resolve().is_relative_to(self._root)
                missing = not photo.is_file()
            # a name too long for the file system, a folder that may not be read, or links in a circle
            except (OSError, RuntimeError) as error:
                why = error.strerror if isinstance(error, OSError) else "links that lead in a circle"
                return Rejection(product, "missing-photo", f"{file_name[:80]}: {why}", number)
            if outside:
                detail = f"{file_name} leads out of {self._root}"
                return Rejection(product, "outside-folder", detail, number)
            if missing:
                return Rejection(product, "missing-photo", f"{file_name} does not exist", number)
            product = product or PurePath(file_name).with_suffix("").as_posix()
        elif url:
            product = product or hashlib.sha256(url.encode()).hexdigest()[:16]
            photo = Url(url)
        else:
            return Rejection(product, "missing-photo", "neither a file_name nor a url", number)
        return Record(product, self._category(row), photo, parse_attributes(row, without=self._used))

    def _checked(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (OSError, pa.ArrowException, ValueError) as error:
            raise SourceError(
                f"{self.path} cannot be read: {error}.", remedy="Give a CSV, JSONL or Parquet file in UTF-8."
            ) from error


def _to_text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return "" if value is None else replace_surrogates(str(value)).strip()


def _to_location(value: object) -> str:
    """Where a photo is; nowhere if no file can be called so."""
    text = _to_text(value)
    return "" if "\0" in text else text


def _format_columns(columns: Sequence[str]) -> str:
    """The first columns, for a message."""
    more = f" and {len(columns) - _MAX_LISTED_COLUMNS:,} more" if len(columns) > _MAX_LISTED_COLUMNS else ""
    return ", ".join(escape_to_one_line(name[:80]) for name in columns[:_MAX_LISTED_COLUMNS]) + more
