"""Row readers for CSV, JSONL and Parquet; a malformed row does not affect the others."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import pyarrow as pa
import pyarrow.parquet as pq

from modiste.errors import SourceError
from modiste.sources.normalize import infer_column_parsers, is_missing, replace_surrogates
from modiste.sources.parquet_worker import MAX_BATCH_BYTES, read_batches
from modiste.sources.record import AttributeValue
from modiste.sources.sanitize import MAX_COLUMNS

JSONL_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (".csv", ".tsv", *JSONL_SUFFIXES, ".parquet")
MAX_LINE_BYTES = 16 * 2**20
"""Limit for one product in a JSONL file, and for one line of a CSV."""

Row: TypeAlias = tuple[int, Mapping[str, Any] | str]
"""Line number, and columns or a description of what is wrong."""

_TEXT_COLUMNS = {"id", "file_name", "url"}  # always text, even if they look like numbers
_NOT_UTF8 = "not UTF-8; save the table in UTF-8"


def read_columns(path: Path) -> list[str]:
    """Return the table's column names; of JSONL, those of its first 1000 rows.

    Raises SourceError if the text is not UTF-8, OSError if the file cannot be read, ArrowException if the file is not
    Parquet and ValueError if the header is malformed.
    """
    if path.suffix.lower() == ".parquet":
        return list(pq.read_schema(path).names)
    _check_encoding(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        with _open_text(path) as file:
            try:
                header = next(_csv_reader(path, file), [])
            except csv.Error as error:
                raise ValueError(f"its first line: {error}") from None
            return [replace_surrogates(name).strip() for name in header]
    names: dict[str, None] = {}
    for number, row in _read_jsonl(path):
        if number > 1000:
            break
        if not isinstance(row, str):
            names.update(dict.fromkeys(row))
    return list(names)


def read_rows(path: Path) -> Iterator[Row]:
    """Yield every row in order. Raises SourceError if a Parquet file is damaged."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return read_parquet(path)
    return _read_csv(path) if suffix in (".csv", ".tsv") else _read_jsonl(path)


def read_parquet(path: Path, batch_rows: int = 1024) -> Iterator[Row]:
    """Yield every row of a Parquet file, with at most `batch_rows` in memory at once.

    Raises SourceError if the file is damaged, or needs too much memory.
    """
    number = 0
    for batch in read_batches(path, batch_rows):
        if isinstance(batch, int):
            detail = f"a row of {batch:,} bytes; {MAX_BATCH_BYTES:,} are allowed"
            rows: Iterable[Mapping[str, Any] | str] = (detail,)
        else:
            rows = _batch_to_rows(batch)
        for row in rows:
            number += 1
            yield number, row


def count_parquet_rows(path: Path) -> int:
    """Return the number of rows according to a Parquet file's metadata.

    Raises SourceError if the file cannot be read.
    """
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(
            f"{path} is not a readable Parquet file: {error}.", remedy="Write or download it again."
        ) from error


def _batch_to_rows(batch: pa.RecordBatch) -> Iterator[Mapping[str, Any] | str]:
    try:
        yield from batch.to_pylist()
        return
    except (ValueError, OverflowError, pa.ArrowException):
        pass  # text that is not UTF-8, a date outside the calendar: find the rows with it
    for index in range(batch.num_rows):
        try:
            yield batch.slice(index, 1).to_pylist()[0]
        except (ValueError, OverflowError, pa.ArrowException) as error:
            yield f"a value cannot be read: {error}"


def _check_encoding(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(0) > len(head) / 4:
        raise SourceError(
            f"{path} is not UTF-8 text; it looks like UTF-16 or a binary file.",
            remedy="Save it as CSV or JSONL in UTF-8.",
        )


def _open_text(path: Path) -> Any:
    # Bytes that are not UTF-8 become lone surrogates, which mark their rows.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


class _BoundedLines:
    """Lines of a CSV; an endless line is an error, and the next one is read."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith("\n"):
                line = self._file.readline(MAX_LINE_BYTES)
            raise csv.Error(f"a line over {MAX_LINE_BYTES // 2**20} MiB")
        if not line:
            raise StopIteration
        return line


def _csv_reader(path: Path, file: Any) -> Any:
    return csv.reader(_BoundedLines(file), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")


def _read_fields(path: Path) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (line number, fields) of each row of a CSV, the header first; a string describes a malformed row."""
    with _open_text(path) as file:
        parser = _csv_reader(path, file)
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
    header = read_columns(path)
    rows = _read_fields(path)
    next(rows, None)
    valid_rows = (fields for _, fields in rows if not isinstance(fields, str))
    readers: list[Callable[[str], AttributeValue]] = [
        str if name in _TEXT_COLUMNS else read
        for name, read in zip(header, infer_column_parsers(valid_rows, len(header)), strict=True)
    ]
    rows = _read_fields(path)
    next(rows, None)
    for number, fields in rows:
        if isinstance(fields, str):
            yield number, fields
        elif len(fields) != len(header):
            yield number, f"{len(fields)} fields where the header has {len(header)}"
        elif not _is_utf8(fields):
            yield number, _NOT_UTF8
        else:
            cells = zip(header, fields, readers, strict=True)
            yield number, {name: None if is_missing(value) else read(value) for name, value, read in cells}


def _is_utf8(fields: list[str]) -> bool:
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_jsonl(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE_BYTES)
                yield number, f"a line over {MAX_LINE_BYTES // 2**20} MiB"
            elif line.strip():
                yield number, _parse_json_row(line)


def _parse_json_row(line: bytes) -> Mapping[str, Any] | str:
    try:
        row: Any = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _NOT_UTF8
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    if not isinstance(row, dict):
        return "not a JSON object"
    fields = cast("dict[str, Any]", row)
    return fields if len(fields) <= MAX_COLUMNS else f"{len(fields):,} fields; {MAX_COLUMNS:,} are allowed"
