"""Normalization of a table's rows: category, and names and types of attributes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from modiste.errors import SourceError
from modiste.sources.record import AttributeValue, Record, Rejection

UNCATEGORISED = "uncategorised"
"""Category of a product without one in its source."""

# columns of the shop's own product table: an attribute of the same name would clash
_RESERVED_NAMES = {"id", "category", "cluster", "photo", "photo_hash", "source_hash"}
_RENAMED_COLUMNS = {"product_display_name": "name"}
_MISSING_VALUES = {"", "na", "n/a", "nan", "null", "none"}
_CATEGORY_COLUMNS = ("category", "label")
_KAGGLE_COLUMNS = ("master_category", "sub_category")


def snake_case(name: str) -> str:
    """Convert a name to snake_case: `articleType`, `Article Type` and `article-type` become `article_type`."""
    separated = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3_\2\4", name.strip())
    return re.sub(r"\W+", "_", separated).strip("_").lower()


def normalize_category(value: object) -> str:
    """Return a category trimmed and in lower case; `uncategorised` where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNCATEGORISED
    return str(value).strip().lower() or UNCATEGORISED


def kaggle_category(master: object, sub: object) -> str:
    """Return "footwear" for all footwear, else the finer subCategory (bags, eyewear, watches, topwear, …)."""
    footwear = normalize_category(master) == "footwear"
    return "footwear" if footwear else normalize_category(sub)


def make_category_reader(
    columns: Iterable[str], category_column: str | None, source: str
) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that reads a row's category.

    It reads `category_column` if given, else the column `category` or `label`, else Kaggle's two columns; else
    everything is `uncategorised`. Names may differ in case and underscores. Raises SourceError if the table has no
    column `category_column`.
    """
    by_name = {snake_case(column): column for column in columns}
    if category_column is not None:
        column = by_name.get(snake_case(category_column))
        if column is None:
            raise SourceError(
                f"{source} has no column {category_column!r} to take the category from.",
                remedy=f"Give --category-column one of: {', '.join(by_name.values())}.",
            )
        return lambda row: normalize_category(row.get(column))
    for name in _CATEGORY_COLUMNS:
        if name in by_name:
            column = by_name[name]
            return lambda row: normalize_category(row.get(column))
    if all(name in by_name for name in _KAGGLE_COLUMNS):
        master, sub = (by_name[name] for name in _KAGGLE_COLUMNS)
        return lambda row: kaggle_category(row.get(master), row.get(sub))
    return lambda _: UNCATEGORISED


def parse_attributes(row: Mapping[str, Any], without: Iterable[str]) -> dict[str, AttributeValue]:
    """Return every column of `row` except `without`, by snake_case name.

    Missing values are left out, dates become ISO text, lists and objects JSON text, raw bytes are dropped.
    """
    excluded = set(without)
    attributes: dict[str, AttributeValue] = {}
    for column, value in row.items():
        name = snake_case(column)
        attribute = _to_attribute_value(value)
        if column in excluded or not name or attribute is None:
            continue
        name = _RENAMED_COLUMNS.get(name, name)
        attributes[f"source_{name}" if name in _RESERVED_NAMES else name] = attribute
    return attributes


def infer_column_parsers(rows: Iterable[Sequence[str]], width: int) -> list[Callable[[str], AttributeValue]]:
    """Return a parser for each column of a text table: int, float or bool if all values are that, else text."""
    candidates: list[list[Callable[[str], AttributeValue]]] = [[_to_int, _to_float, _to_bool] for _ in range(width)]
    filled = [False] * width
    for row in rows:
        if len(row) != width:
            continue
        for column, value in enumerate(row):
            if candidates[column] and not is_missing(value):
                filled[column] = True
                candidates[column] = [parse for parse in candidates[column] if _can_parse(parse, value)]
    return [
        readers[0] if readers and has_values else str for readers, has_values in zip(candidates, filled, strict=True)
    ]


def is_missing(value: str) -> bool:
    """Return whether the text stands for a missing value: empty, NA, N/A, NaN, null or none."""
    return value.strip().lower() in _MISSING_VALUES


def replace_surrogates(text: str) -> str:
    r"""Replace lone surrogates, which JSON allows (`"\ud800"`) and files and databases reject."""
    return text.encode("utf-8", "replace").decode()


def reject_duplicates(rows: Iterable[Record | Rejection]) -> Iterator[Record | Rejection]:
    """Yield the rows, but reject a record whose id came before (`duplicate_id`)."""
    seen: set[str] = set()
    for row in rows:
        if isinstance(row, Record):
            if row.id in seen:
                yield Rejection(row.id, "duplicate_id", "an earlier product has the same id and is kept")
                continue
            seen.add(row.id)
        yield row


def _to_attribute_value(value: Any) -> AttributeValue | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):  # beyond 64 bits it is an identifier, and other programs cannot read it
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, str):
        return replace_surrogates(value).strip() or None
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return None


def _can_parse(parse: Callable[[str], AttributeValue], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _to_int(value: str) -> int:
    # "007" is a code, not the number 7, and Python's int also takes "1_000"
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", value.strip()):
        raise ValueError(value)
    return int(value)


def _to_float(value: str) -> float:
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)?(\.[0-9]+)?([eE][-+]?[0-9]+)?", value.strip()):
        raise ValueError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _to_bool(value: str) -> bool:
    if value.strip().lower() not in ("true", "false"):
        raise ValueError(value)
    return value.strip().lower() == "true"
