"""Folder in the layout of Kaggle's "Fashion Product Images": `styles.csv` and `images/<id>.jpg`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modiste.errors import SourceError
from modiste.sources.folder import is_photo_name
from modiste.sources.normalize import (
    infer_column_parsers,
    is_missing,
    make_category_reader,
    parse_attributes,
    reject_duplicates,
)
from modiste.sources.record import Record, Rejection

TABLE_NAME = "styles.csv"
IMAGES_FOLDER = "images"


class KaggleSource:
    """Products of a Kaggle folder. Category: footwear where masterCategory is Footwear, else subCategory.

    A row with too many or too few fields (an unquoted comma inside a name: three in the real data) is a rejection,
    `malformed_row`; a product without a photo is one too, `missing_photo`. Raises SourceError if the table cannot be
    read or has no column `id`.
    """

    def __init__(self, folder: Path, *, category_column: str | None = None) -> None:
        self.folder = folder
        self.name = f"kaggle folder {folder}"
        self._header = next((fields for _, fields in self._lines()), [])
        if "id" not in self._header:
            raise SourceError(
                f"{folder / TABLE_NAME} has no column `id`; its columns are: {', '.join(self._header) or 'none'}.",
                remedy="Give a folder in the layout of Kaggle's Fashion Product Images, or rename the table "
                "to metadata.csv with a column `file_name`.",
            )
        self._category = make_category_reader(self._header, category_column, self.name)

    def count(self) -> int:
        """Return the number of products in the table, malformed rows included."""
        return sum(1 for _ in self._lines()) - 1

    def records(self) -> Iterator[Record | Rejection]:
        """Yield every product in the table's order; the other columns become attributes, typed column by column."""
        return reject_duplicates(self._rows())

    def _rows(self) -> Iterator[Record | Rejection]:
        readers = infer_column_parsers((fields for _, fields in self._data_lines()), len(self._header))
        # one listing instead of a look-up per product, so that an id can only name a file in this folder
        images = {path.stem: path for path in sorted((self.folder / IMAGES_FOLDER).iterdir()) if is_photo_name(path)}
        for number, fields in self._data_lines():
            product = fields[0].strip() if fields else ""
            if len(fields) != len(self._header):
                detail = f"{len(fields)} fields where the header has {len(self._header)}"
                yield Rejection(product, "malformed_row", detail, number)
                continue
            row: dict[str, Any] = {
                column: None if is_missing(value) else read(value)
                for column, value, read in zip(self._header, fields, readers, strict=True)
            }
            product = fields[self._header.index("id")].strip()
            if not product:
                yield Rejection("", "malformed_row", "the id is empty", number)
            elif product not in images:
                yield Rejection(product, "missing_photo", f"no {IMAGES_FOLDER}/{product}.jpg", number)
            else:
                attributes = parse_attributes(row, without=["id"])
                yield Record(product, self._category(row), images[product], attributes)

    def _data_lines(self) -> Iterator[tuple[int, list[str]]]:
        lines = self._lines()
        next(lines, None)
        return lines

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, fields) of each line.

        Each line is parsed separately: names here contain stray quotes, and an unclosed one would swallow the products
        after it.
        """
        try:
            with (self.folder / TABLE_NAME).open(encoding="utf-8-sig", errors="replace", newline="") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        yield number, _parse_line(line)
        except OSError as error:
            raise SourceError(
                f"{self.folder / TABLE_NAME} cannot be read: {error.strerror}.", remedy="Check its permissions."
            ) from error


def is_kaggle_folder(folder: Path) -> bool:
    """Return whether `folder` contains `styles.csv` and `images/`."""
    return (folder / TABLE_NAME).is_file() and (folder / IMAGES_FOLDER).is_dir()


def _parse_line(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a field over csv's limit, or a NUL: no field count will match the header's
        return [line[:40]]
