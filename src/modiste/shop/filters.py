"""Attributes as columns: which of them are fit to filter by, and which products a filter lets through."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption

ColumnKind = Literal["words", "number", "flag"]
Filter = Mapping[str, Any]
MAX_VALUES = 60  # more than anyone would look through
MAX_WORD_CHARS = 1024  # characters: an attribute with more describes, and is none to filter by
BATCH_ROWS = 4096  # products whose attributes are read at once
MIN_COVERAGE = 0.5  # of the products must have an attribute, or filtering by it hides more than it finds
MAX_DISTINCT_SHARE = 0.95  # whole numbers that nearly all differ are numbers of articles, not of anything
RESERVED_NAMES = ("id", "category", "cluster")
TITLE_NAMES = (
    "name",
    "title",
    "product_name",
    "product_display_name",
    "productdisplayname",
)  # say one product
CONDITION_KEYS = ("min", "max", "not")
MAX_DEPTH = 16  # filters within filters


@dataclass(frozen=True, slots=True)
class Facet:
    """One attribute to filter by.

    Of words and flags, `values` has each with its number of products and, where the attribute is a colour, what it
    looks like as "#rrggbb"; most frequent first. A number has `minimum` and `maximum`.
    """

    name: str
    kind: ColumnKind
    values: tuple[tuple[Any, int, str | None], ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The facet as the HTTP API gives it."""
        values = [{"value": value, "count": count, "colour": colour} for value, count, colour in self.values]
        return {
            "name": self.name,
            "kind": self.kind,
            "values": values,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }


@dataclass(frozen=True)
class Column:
    """One attribute of all products. A number is float64 `(N,)`, NaN where it is not known; words and flags are
    places in `words`, intp `(N,)`, −1 where not known, the most frequent word first."""

    kind: ColumnKind
    data: NDArray[Any]
    words: tuple[str, ...] = ()

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which products have it, `(N,)`."""
        return ~np.isnan(self.data) if self.kind == "number" else self.data >= 0

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """How many products have each word."""
        return np.bincount(self.data[self.known], minlength=len(self.words)).astype(np.intp)

    def isin(self, values: Sequence[Any], name: str) -> NDArray[np.bool_]:
        """Which products have one of `values`. Raises BadOption where a value is of another kind."""
        wanted = [self._parse_value(value, name) for value in values]
        if self.kind == "number":
            return np.isin(self.data, np.array(wanted, np.float64))
        place = {word: number for number, word in enumerate(self.words)}
        return np.isin(self.data, [place[word] for word in wanted if word in place])

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
        raise BadOption(f"{name} cannot be {short_repr(value)}.", remedy=f"{name} takes {allowed}.")


class Columns:
    """The attributes of all products by name, with the shop's own category as "category".

    An attribute that is itself called id, category or cluster gets the prefix `attribute_`.
    """

    def __init__(
        self,
        categories: Sequence[str],
        attributes: Sequence[str],
        kinds: Mapping[str, ColumnKind] | None = None,
    ) -> None:
        """`N` categories, and the attributes of `N` products as JSON texts.

        `kinds` are those of the whole catalogue's columns, see `kinds`, where these are not all of its products: no few
        of them can tell that others have words where they have numbers.
        """
        self._categories = categories
        self._attribute_texts = attributes
        self._kinds = kinds

    def __len__(self) -> int:
        return len(self._categories)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Every column, category first, then in the order in which products first name them; none of long texts."""
        cells: dict[str, tuple[list[int], list[Any]]] = {}
        for row, name, value in _cells(self._attribute_texts, lambda name: cells.pop(name, None)):
            places, values = cells.setdefault(name, ([], []))
            places.append(row)
            values.append(value)
        found = {"category": _make_column(len(self), range(len(self)), list(self._categories), "words")}
        named = {_column_name(name): cell for name, cell in cells.items()}
        if self._kinds is None:
            return found | {name: _make_column(len(self), *cell) for name, cell in named.items()}
        for name, kind in self._kinds.items():
            if name != "category":
                found[name] = _make_column(len(self), *named.get(name, ((), [])), kind)
        return found

    @cached_property
    def kinds(self) -> dict[str, ColumnKind]:
        """The kind of every column by name."""
        return {name: column.kind for name, column in self.by_name.items()}

    def check(self, where: Filter) -> None:
        """Raise BadOption where a filter asks for what no product can have; see Shop.matching."""
        Columns((), (), self.kinds).mask(where)

    def facets(self, swatches: Mapping[str, Mapping[str, str]]) -> list[Facet]:
        """The columns fit to filter by: category, colours, other words, flags, numbers."""
        found = [
            facet
            for name, column in self.by_name.items()
            if (facet := self._make_facet(name, column, swatches.get(name, {}))) is not None
        ]
        rank = {"words": 2, "flag": 3, "number": 4}
        found.sort(
            key=lambda each: 0 if each.name == "category" else 1 if each.name in swatches else rank[each.kind]
        )
        return found

    def _make_facet(self, name: str, column: Column, colours: Mapping[str, str]) -> Facet | None:
        known = int(column.known.sum())
        if name != "category" and known < MIN_COVERAGE * len(self):
            return None
        if column.kind == "number":
            values = column.data[column.known]
            low, high = float(values.min()), float(values.max())
            whole = bool((values == np.rint(values)).all())
            if low == high or (whole and known > 100 and len(np.unique(values)) > MAX_DISTINCT_SHARE * known):
                return None
            return Facet(name, "number", (), low, high)
        if name != "category" and (
            name.lower() in TITLE_NAMES
            or not 2 <= len(column.words) <= MAX_VALUES
            or self._follows_from_category(column)
        ):
            return None
        pairs = zip(column.words, column.counts.tolist(), strict=True)
        flag = column.kind == "flag"
        return Facet(
            name,
            column.kind,
            tuple((word == "true" if flag else word, count, colours.get(word)) for word, count in pairs),
        )

    def _follows_from_category(self, column: Column) -> bool:
        """Whether the category tells the attribute: to filter by both would be to ask the same twice."""
        category = self.by_name["category"]
        pairs = np.unique((category.data * len(column.words) + column.data)[column.known])
        return len(np.unique(pairs // len(column.words))) == len(pairs)

    def mask(self, where: Filter, depth: int = 0) -> NDArray[np.bool_]:
        """Which products fit, `(N,)`: all that `where` says; see Shop.matching. Raises BadOption."""
        if depth > MAX_DEPTH:
            raise BadOption(
                f"The filter is nested more than {MAX_DEPTH} deep.", remedy="Say the same with less nesting."
            )
        fits = np.ones(len(self), np.bool_)
        for name, asked in where.items():
            parts = _subfilters(name, asked)
            column = self.by_name.get(name)
            if parts is not None and column is None:
                each = [self.mask(part, depth + 1) for part in parts]
                if name == "not":
                    fits &= ~each[0]
                else:
                    join = np.logical_or if name == "any" else np.logical_and
                    fits &= join.reduce(each, axis=0, initial=name == "all")
                continue
            if column is None:
                names = ", ".join(list(self.by_name)[:20])
                raise BadOption(
                    f"The shop's products have no attribute {short_repr(name)}.",
                    remedy=f"Choose one of {names}.",
                )
            fits &= _condition_mask(column, name, asked)
        return fits


def column_kinds(texts: Sequence[str]) -> dict[str, ColumnKind]:
    """The kind of every column by name, category first, of JSON texts; without the columns, which take memory."""
    found: dict[str, ColumnKind] = {}
    for _, name, value in _cells(texts, lambda name: found.pop(name, None)):
        kind = _infer_kind([value])
        found[name] = kind if found.get(name, kind) == kind else "words"
    named: dict[str, ColumnKind] = {"category": "words"}
    named.update((_column_name(name), kind) for name, kind in found.items())
    return named


def _cells(texts: Sequence[str], discard: Callable[[str], object]) -> Iterator[tuple[int, str, Any]]:
    """Row, name and value of each attribute that a column can have; what describes is told by `forget`, once known."""
    described: set[str] = set()
    for row, attributes in enumerate(iter_attributes(texts)):
        for name, value in attributes.items():
            if name in described or value is None or (isinstance(value, float) and not math.isfinite(value)):
                continue
            if isinstance(value, str) and len(value) > MAX_WORD_CHARS:
                described.add(name)
                discard(name)
                continue
            yield row, name, value


def _column_name(name: str) -> str:
    return f"attribute_{name}" if name in RESERVED_NAMES else name


def iter_attributes(texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The attributes of each product, of JSON texts: many in one call, 10 times as fast, and never all in memory."""
    for begin in range(0, len(texts), BATCH_ROWS):
        yield from json.loads("[" + ",".join(texts[begin : begin + BATCH_ROWS]) + "]")


def _subfilters(name: str, condition: Any) -> list[Filter] | None:
    """The filters that "any", "all" or "not" combine; None where that is an attribute's name and condition."""
    if name == "not" and isinstance(condition, Mapping):
        return [cast("Filter", condition)]
    if name in ("any", "all") and isinstance(condition, (list, tuple)):
        parts = cast("Sequence[Any]", condition)
        return list(parts) if all(isinstance(part, Mapping) for part in parts) else None
    return None


def _condition_mask(column: Column, name: str, condition: Any) -> NDArray[np.bool_]:
    if isinstance(condition, (list, tuple)):
        return column.isin(cast("Sequence[Any]", condition), name)
    if (
        not isinstance(condition, Mapping)
        or not set(cast("Filter", condition)) <= set(CONDITION_KEYS)
        or not condition
    ):
        raise BadOption(
            f"{name} cannot be filtered by {short_repr(condition)}.",
            remedy='Give a list of values, {"min": …, "max": …} or {"not": [values]}.',
        )
    given = cast("Filter", condition)
    fits = np.ones(len(column.data), np.bool_)
    for bound in ("min", "max"):
        if given.get(bound) is None:
            continue
        value = given[bound]
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
        if column.kind != "number" or not sound:
            raise BadOption(
                f"{name} cannot be bounded by {short_repr(value)}.",
                remedy="min and max are numbers, for attributes that are numbers.",
            )
        fits &= column.data >= value if bound == "min" else column.data <= value
    unwanted = given.get("not", [])
    if not isinstance(unwanted, (list, tuple)):
        raise BadOption(
            f"{name} cannot be without {short_repr(unwanted)}.", remedy="not takes a list of values."
        )
    return fits & ~column.isin(cast("Sequence[Any]", unwanted), name)


def _make_column(
    count: int, rows: Sequence[int], values: list[Any], kind: ColumnKind | None = None
) -> Column:
    """The column of `values` at `rows`, of a kind; if none is said, of theirs."""
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
    place = {word: number for number, word in enumerate(words)}
    held = np.full(count, -1, np.intp)
    held[np.asarray(rows, np.intp)] = [place[value] for value in values]
    return Column(kind, held, tuple(words))


def _infer_kind(values: list[Any]) -> ColumnKind:
    """What is neither all flags nor all numbers is words."""
    if all(isinstance(value, bool) for value in values):
        return "flag"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return "number"
    return "words"


def short_repr(value: Any) -> str:
    """A value as an error says it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


CONDITION_PATTERN = re.compile(r"([^=!<>]+?)\s*(!=|>=|<=|=)\s*(.+)", re.DOTALL)
SYNTAX_REMEDY = "Write name=value,value or name!=value, name>=number or name<=number, or a JSON object."


def parse_filter(texts: Sequence[str]) -> dict[str, Any]:
    """A filter as written on a command line, all of which must fit: `colour=Red,Blue`, `gender!=Men`, `year>=2012`,
    `price<=50`, or JSON as `matching` takes it. Raises BadOption.
    """
    parts: list[dict[str, Any]] = []
    for text in texts:
        if text.lstrip().startswith("{"):
            try:
                parts.append(json.loads(text))
            except ValueError as error:
                raise BadOption(
                    f"The filter {short_repr(text)} is not JSON: {error}.", remedy=SYNTAX_REMEDY
                ) from None
            continue
        found = CONDITION_PATTERN.fullmatch(text)
        if found is None:
            raise BadOption(f"The filter {short_repr(text)} cannot be read.", remedy=SYNTAX_REMEDY)
        name, sign, value = (part.strip() for part in found.groups())
        values = [each.strip() for each in value.split(",")]
        if sign in ("=", "!="):
            parts.append({name: values if sign == "=" else {"not": values}})
            continue
        try:
            bound = float(value)
        except ValueError:
            raise BadOption(
                f"{name} cannot be bounded by {short_repr(value)}.", remedy=SYNTAX_REMEDY
            ) from None
        parts.append({name: {"min" if sign == ">=" else "max": bound}})
    return {"all": parts} if parts else {}
