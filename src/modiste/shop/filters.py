"""Attributes as columns: the facets to filter by, and the products that pass a filter."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption

ColumnKind = Literal["words", "number", "flag"]
Filter = Mapping[str, Any]
MAX_VALUES = 60  # of a facet: more are hard to look through
MAX_WORD_CHARS = 1024  # an attribute with longer values is a description, and no column
BATCH_ROWS = 4096  # products whose attributes are parsed at once
MIN_COVERAGE = 0.5  # the share of products that must have an attribute, or a filter hides more than it finds
MAX_DISTINCT_SHARE = 0.95  # whole numbers that are nearly all distinct are article numbers, not quantities
RESERVED_NAMES = ("id", "category", "cluster")
TITLE_NAMES = ("name", "title", "product_name", "product_display_name", "productdisplayname")  # unique to a product
CONDITION_KEYS = ("min", "max", "not")
MAX_DEPTH = 16  # of nested filters


@dataclass(frozen=True, slots=True)
class Facet:
    """One attribute to filter by.

    For words and flags, `values` holds (value, number of products, colour), most frequent first; the colour is
    "#rrggbb", or None if the attribute is not a colour. A number has `minimum` and `maximum`.
    """

    name: str
    kind: ColumnKind
    values: tuple[tuple[Any, int, str | None], ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the facet as the HTTP API shows it."""
        values = [{"value": value, "count": count, "colour": colour} for value, count, colour in self.values]
        return asdict(self) | {"values": values}


@dataclass(frozen=True)
class Column:
    """One attribute of all products.

    `data` of numbers is float64 `(N,)`, NaN if unknown; of words and flags it is the position in `words`, intp `(N,)`,
    −1 if unknown. The most frequent word comes first.
    """

    kind: ColumnKind
    data: NDArray[Any]
    words: tuple[str, ...] = ()

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """The products that have the attribute, bool `(N,)`."""
        return ~np.isnan(self.data) if self.kind == "number" else self.data >= 0

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """The number of products that have each word."""
        return np.bincount(self.data[self.known], minlength=len(self.words)).astype(np.intp)

    def isin(self, values: Sequence[Any], name: str) -> NDArray[np.bool_]:
        """Return the products that have one of `values`, bool `(N,)`. Raises BadOption for a value of another kind."""
        wanted = [self._parse_value(value, name) for value in values]
        if self.kind == "number":
            return np.isin(self.data, np.array(wanted, np.float64))
        positions = {word: number for number, word in enumerate(self.words)}
        return np.isin(self.data, [positions[word] for word in wanted if word in positions])

    def _parse_value(self, value: Any, name: str) -> Any:
        if self.kind == "words" and isinstance(value, (str, int, float)):
            return str(value)
        if self.kind == "flag" and str(value).lower() in ("true", "false"):
            return str(value).lower()
        if self.kind == "number" and not isinstance(value, bool):
            try:
                return float(value)
            except (TypeError, ValueError):
                pass
        allowed = {"words": "words", "number": "numbers", "flag": "true or false"}[self.kind]
        raise BadOption(f"`{name}` cannot be {short_repr(value)}.", remedy=f"`{name}` takes {allowed}.")


class Columns:
    """The attributes of all products by name, with the shop's own category as "category".

    An attribute that is itself called id, category or cluster gets the prefix `attribute_`.
    """

    def __init__(
        self, categories: Sequence[str], attributes: Sequence[str], kinds: Mapping[str, ColumnKind] | None = None
    ) -> None:
        """Create the columns of `N` products from their categories and their attributes, each as a JSON text.

        `kinds` are those of the columns of the whole catalogue, if these are only some of its products; others may have
        words where these have numbers.
        """
        self._categories = categories
        self._attribute_texts = attributes
        self._kinds = kinds

    def __len__(self) -> int:
        return len(self._categories)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Every column, category first, then in the order in which the products name them, without descriptions."""
        cells: dict[str, tuple[list[int], list[Any]]] = {}
        for row, name, value in _cells(self._attribute_texts, lambda name: cells.pop(name, None)):
            rows, values = cells.setdefault(name, ([], []))
            rows.append(row)
            values.append(value)
        columns = {"category": _make_column(len(self), range(len(self)), list(self._categories), "words")}
        named = {_column_name(name): cell for name, cell in cells.items()}
        if self._kinds is None:
            return columns | {name: _make_column(len(self), *cell) for name, cell in named.items()}
        for name, kind in self._kinds.items():
            if name != "category":
                columns[name] = _make_column(len(self), *named.get(name, ((), [])), kind)
        return columns

    @cached_property
    def kinds(self) -> dict[str, ColumnKind]:
        """The kind of every column by name."""
        return {name: column.kind for name, column in self.by_name.items()}

    def facets(self, swatches: Mapping[str, Mapping[str, str]]) -> list[Facet]:
        """Return the columns suitable for filters: category, colours, other words, flags, numbers."""
        facets = [
            facet
            for name, column in self.by_name.items()
            if (facet := self._make_facet(name, column, swatches.get(name, {}))) is not None
        ]
        rank = {"words": 2, "flag": 3, "number": 4}
        facets.sort(key=lambda each: 0 if each.name == "category" else 1 if each.name in swatches else rank[each.kind])
        return facets

    def _make_facet(self, name: str, column: Column, colours: Mapping[str, str]) -> Facet | None:
        known = int(column.known.sum())
        if name != "category" and known < MIN_COVERAGE * len(self):
            return None
        if column.kind == "number":
            values = column.data[column.known]
            low, high = float(values.min()), float(values.max())
            is_whole = bool((values == np.rint(values)).all())
            if low == high or (is_whole and known > 100 and len(np.unique(values)) > MAX_DISTINCT_SHARE * known):
                return None
            return Facet(name, "number", (), low, high)
        if name != "category" and (
            name.lower() in TITLE_NAMES
            or not 2 <= len(column.words) <= MAX_VALUES
            or self._follows_from_category(column)
        ):
            return None
        pairs = zip(column.words, column.counts.tolist(), strict=True)
        is_flag = column.kind == "flag"
        return Facet(
            name,
            column.kind,
            tuple((word == "true" if is_flag else word, count, colours.get(word)) for word, count in pairs),
        )

    def _follows_from_category(self, column: Column) -> bool:
        """Return whether the category determines the attribute, which makes it redundant as a filter."""
        category = self.by_name["category"]
        pairs = np.unique((category.data * len(column.words) + column.data)[column.known])
        return len(np.unique(pairs // len(column.words))) == len(pairs)

    def mask(self, where: Filter, depth: int = 0) -> NDArray[np.bool_]:
        """Return the products that pass a filter, bool `(N,)`; see Shop.filter_mask. Raises BadOption."""
        if depth > MAX_DEPTH:
            raise BadOption(f"The filter is nested more than {MAX_DEPTH} levels deep.", remedy="Use fewer levels.")
        fits = np.ones(len(self), np.bool_)
        for name, condition in where.items():
            subfilters = _subfilters(name, condition)
            column = self.by_name.get(name)
            if subfilters is not None and column is None:
                masks = [self.mask(each, depth + 1) for each in subfilters]
                if name == "not":
                    fits &= ~masks[0]
                else:
                    join = np.logical_or if name == "any" else np.logical_and
                    fits &= join.reduce(masks, axis=0, initial=name == "all")
                continue
            if column is None:
                names = ", ".join(list(self.by_name)[:20])
                raise BadOption(
                    f"The shop's products have no attribute {short_repr(name)}.", remedy=f"Choose one of {names}."
                )
            fits &= _condition_mask(column, name, condition)
        return fits


def column_kinds(texts: Sequence[str]) -> dict[str, ColumnKind]:
    """Return the kind of every column by name, category first, from JSON texts, without the memory of the columns."""
    kinds: dict[str, ColumnKind] = {}
    for _, name, value in _cells(texts, lambda name: kinds.pop(name, None)):
        kind = _infer_kind([value])
        kinds[name] = kind if kinds.get(name, kind) == kind else "words"
    named: dict[str, ColumnKind] = {"category": "words"}
    named.update((_column_name(name), kind) for name, kind in kinds.items())
    return named


def _cells(texts: Sequence[str], discard: Callable[[str], object]) -> Iterator[tuple[int, str, Any]]:
    """Yield row, name and value of each attribute; call `discard` with a name once its values prove too long."""
    descriptions: set[str] = set()
    for row, attributes in enumerate(iter_attributes(texts)):
        for name, value in attributes.items():
            if name in descriptions or value is None or (isinstance(value, float) and not math.isfinite(value)):
                continue
            if isinstance(value, str) and len(value) > MAX_WORD_CHARS:
                descriptions.add(name)
                discard(name)
                continue
            yield row, name, value


def _column_name(name: str) -> str:
    return f"attribute_{name}" if name in RESERVED_NAMES else name


def iter_attributes(texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the attributes of each product from JSON texts, parsed in batches: 10 times as fast as one by one."""
    for begin in range(0, len(texts), BATCH_ROWS):
        yield from json.loads("[" + ",".join(texts[begin : begin + BATCH_ROWS]) + "]")


def _subfilters(name: str, condition: Any) -> list[Filter] | None:
    """Return the filters that "any", "all" or "not" combine; None if the name is an attribute's."""
    if name == "not" and isinstance(condition, Mapping):
        return [cast("Filter", condition)]
    if name in ("any", "all") and isinstance(condition, (list, tuple)):
        parts = cast("Sequence[Any]", condition)
        return list(parts) if all(isinstance(part, Mapping) for part in parts) else None
    return None


def _condition_mask(column: Column, name: str, condition: Any) -> NDArray[np.bool_]:
    if isinstance(condition, (list, tuple)):
        return column.isin(cast("Sequence[Any]", condition), name)
    if not isinstance(condition, Mapping) or not set(cast("Filter", condition)) <= set(CONDITION_KEYS) or not condition:
        raise BadOption(
            f"{short_repr(condition)} is not a condition for `{name}`.",
            remedy='Give a list of values, {"min": …, "max": …} or {"not": [values]}.',
        )
    conditions = cast("Filter", condition)
    fits = np.ones(len(column.data), np.bool_)
    for bound in ("min", "max"):
        if conditions.get(bound) is None:
            continue
        value = conditions[bound]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
        if not is_number:
            raise BadOption(f"{bound} of `{name}` is {short_repr(value)}.", remedy="Give a number for min and max.")
        if column.kind != "number":
            raise BadOption(
                f"`{name}` is not a number for every product that has it, so {bound} cannot be compared.",
                remedy="Filter it by a list of values.",
            )
        fits &= column.data >= value if bound == "min" else column.data <= value
    excluded = conditions.get("not", [])
    if not isinstance(excluded, (list, tuple)):
        raise BadOption(f"not of `{name}` is {short_repr(excluded)}.", remedy="Give a list of values for not.")
    return fits & ~column.isin(cast("Sequence[Any]", excluded), name)


def _make_column(count: int, rows: Sequence[int], values: list[Any], kind: ColumnKind | None = None) -> Column:
    """Make a column of `count` products with `values` at `rows`, of the kind given or that of the values."""
    kind = kind or _infer_kind(values)
    if kind == "number":
        data = np.full(count, np.nan)
        data[np.asarray(rows, np.intp)] = values
        return Column("number", data)
    if kind == "flag":
        values = ["true" if value else "false" for value in values]
    else:
        values = [value if isinstance(value, str) else str(value) for value in values]
    counts = Counter(values)
    words = sorted(counts, key=lambda word: (-counts[word], word))
    positions = {word: number for number, word in enumerate(words)}
    data = np.full(count, -1, np.intp)
    data[np.asarray(rows, np.intp)] = [positions[value] for value in values]
    return Column(kind, data, tuple(words))


def _infer_kind(values: list[Any]) -> ColumnKind:
    """Return "flag" or "number" if all values are that, else "words"."""
    if all(isinstance(value, bool) for value in values):
        return "flag"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return "number"
    return "words"


def short_repr(value: Any) -> str:
    """Return the repr of a value, shortened for an error message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


CONDITION_PATTERN = re.compile(r"([^=!<>]+?)\s*(!=|>=|<=|=)\s*(.+)", re.DOTALL)
SYNTAX_REMEDY = "Write name=value,value or name!=value, name>=number or name<=number, or a JSON object."


def parse_filter(texts: Sequence[str]) -> dict[str, Any]:
    """Parse the filters of a command line, which must all fit.

    A filter is `colour=Red,Blue`, `gender!=Men`, `year>=2012`, `price<=50`, or JSON as Shop.filter_mask takes it.
    Raises BadOption.
    """
    parts: list[dict[str, Any]] = []
    for text in texts:
        if text.lstrip().startswith("{"):
            try:
                parts.append(json.loads(text))
            except ValueError as error:
                raise BadOption(f"The filter {short_repr(text)} is not JSON: {error}.", remedy=SYNTAX_REMEDY) from None
            continue
        match = CONDITION_PATTERN.fullmatch(text)
        if match is None:
            raise BadOption(f"The filter {short_repr(text)} cannot be parsed.", remedy=SYNTAX_REMEDY)
        name, sign, value = (part.strip() for part in match.groups())
        values = [each.strip() for each in value.split(",")]
        if sign in ("=", "!="):
            parts.append({name: values if sign == "=" else {"not": values}})
            continue
        try:
            bound = float(value)
        except ValueError:
            raise BadOption(
                f"The filter {short_repr(text)} compares with {short_repr(value)}, which is not a number.",
                remedy=SYNTAX_REMEDY,
            ) from None
        parts.append({name: {"min" if sign == ">=" else "max": bound}})
    return {"all": parts} if parts else {}
