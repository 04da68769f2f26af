"""A CSV, JSONL or Parquet table of products, photos named by `file_name` (beside the table) or `url`."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from modiste.catalogue.record import AttributeValue, PhotoRef, Record, Rejection, Url
from modiste.catalogue.rows import (
    attributes_of,
    choose_category,
    is_missing,
    once_each,
    typed_columns,
    well_formed,
)
from modiste.errors import SourceError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""What Hugging Face calls the table inside a folder of images."""

Row: TypeAlias = tuple[int, Mapping[str, Any] | str]
"""A row's line number and its columns, or what is wrong with it."""


class TableSource:
    """Products of a table with a column `file_name` or `url`, and, if it has them, `id`, `category`, others.

    Without `id`, a product's id is its file name without the suffix, or a hash of its url. A `file_name` is
    relative to the table's folder and may not lead out of `within` (that folder, unless said otherwise): such
    a row is a rejection, `outside-folder`. Malformed rows and missing photos are rejections too.
    Raises SourceError where the table cannot be read or has neither column.
    """

    def __init__(self, path: Path, *, category_column: str | None = None, within: Path | None = None) -> None:
        self.path = path
        self.name = f"table {path}"
        self._folder = path.parent
        self._within = (within or path.parent).resolve()
        self._read = _READERS[path.suffix.lower()]
        self._columns = self._guarded(lambda: _columns_of(path))
        if not {"file_name", "url"} & set(self._columns):
            raise SourceError(
                f"{path} has neither a column file_name nor url; its columns are: "
                f"{', '.join(self._columns) or 'none'}.",
                remedy="Name the column of the photos' files file_name, or that of their addresses url.",
            )
        self._category = choose_category(self._columns, category_column, self.name)
        self._used = ["id", "file_name", "url"] + (["category"] if category_column is None else [])

    def count(self) -> int:
        """How many rows the table has, malformed ones included."""
        if self.path.suffix.lower() == ".parquet":
            return self._guarded(lambda: pq.read_metadata(self.path).num_rows)
        return sum(1 for _ in self._read(self.path))

    def records(self) -> Iterator[Record | Rejection]:
        """Every row in order."""
        return once_each(self._rows())

    def _rows(self) -> Iterator[Record | Rejection]:
        for number, row in self._read(self.path):
            if isinstance(row, str):
                yield Rejection("", "malformed-row", row, number)
                continue
            yield self._product(number, row)

    def _product(self, number: int, row: Mapping[str, Any]) -> Record | Rejection:
        file_name, url = _text(row.get("file_name")), _text(row.get("url"))
        product = _text(row.get("id"))
        photo: PhotoRef
        if file_name:
            photo = self._folder / file_name
            try:
                # resolved, so that neither `..` nor a link reaches files that are no part of the folder
                outside = not photo.resolve().is_relative_to(self._within)
                missing = not photo.is_file()
            except OSError as error:  # a name too long for the file system, or a folder that may not be read
                return Rejection(product, "missing-photo", f"{file_name[:80]}: {error.strerror}", number)
            if outside:
                detail = f"{file_name} leads out of {self._within}"
                return Rejection(product, "outside-folder", detail, number)
            if missing:
                return Rejection(product, "missing-photo", f"{file_name} does not exist", number)
            product = product or PurePath(file_name).with_suffix("").as_posix()
        elif url:
            product = product or hashlib.sha256(url.encode()).hexdigest()[:16]
            photo = Url(url)
        else:
            return Rejection(product, "missing-photo", "neither a file_name nor a url", number)
        return Record(product, self._category(row), photo, attributes_of(row, without=self._used))

    def _guarded(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (OSError, pa.ArrowException, ValueError) as error:
            raise SourceError(
                f"{self.path} cannot be read: {error}.", remedy="Give a CSV, JSONL or Parquet file in UTF-8."
            ) from error


def _text(value: object) -> str:
    text = "" if value is None else well_formed(str(value)).strip()
    return "" if "\0" in text else text


def _columns_of(path: Path) -> list[str]:
    """The table's column names; of JSONL, those of its first 1000 rows."""
    if path.suffix.lower() == ".parquet":
        return list(pq.read_schema(path).names)
    if path.suffix.lower() in (".csv", ".tsv"):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return [name.strip() for name in next(_parser(path, file), [])]
    names: dict[str, None] = {}
    for number, row in _read_jsonl(path):
        if number > 1000:
            break
        if not isinstance(row, str):
            names.update(dict.fromkeys(row))
    return list(names)


def _parser(path: Path, file: Any) -> Any:
    return csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")


def _fields(path: Path) -> Iterator[tuple[int, list[str] | str]]:
    """(line number, fields) of each row of a CSV, the header first; text says what is broken."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        parser = _parser(path, file)
        while True:
            try:
                fields = next(parser)
            except StopIteration:
                return
            except csv.Error as error:
                yield parser.line_num, str(error)
                continue
            if fields:
                yield parser.line_num, fields


def _read_csv(path: Path) -> Iterator[Row]:
    header: list[str] = [name.strip() for name in _columns_of(path)]
    rows = _fields(path)
    next(rows, None)
    whole = (fields for _, fields in rows if not isinstance(fields, str))
    # names of files and ids stay text, whatever they look like
    text = {"id", "file_name", "url"}
    readers: list[Callable[[str], AttributeValue]] = [
        str if name in text else read
        for name, read in zip(header, typed_columns(whole, len(header)), strict=True)
    ]
    rows = _fields(path)
    next(rows, None)
    for number, fields in rows:
        if isinstance(fields, str):
            yield number, fields
        elif len(fields) != len(header):
            yield number, f"{len(fields)} fields where the header has {len(header)}"
        else:
            yield (
                number,
                {
                    name: None if is_missing(value) else read(value)
                    for name, value, read in zip(header, fields, readers, strict=True)
                },
            )


def _read_jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row: Any = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, f"not JSON: {error}"
                continue
            yield number, row if isinstance(row, dict) else "not a JSON object"


def _read_parquet(path: Path) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        number = 0
        for batch in file.iter_batches(batch_size=1024):
            for row in batch.to_pylist():
                number += 1
                yield number, row


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}
