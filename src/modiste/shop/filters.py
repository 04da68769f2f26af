"""Attributes as columns: which of them are fit to filter by, and which products a filter lets through."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption

Kind = Literal["words", "number", "flag"]
Where = Mapping[str, Any]
MOST_VALUES = 60  # more than anyone would look through
LONGEST_WORD = 1024  # characters: an attribute with more describes, and is none to filter by
AT_ONCE = 4096  # products whose attributes are read at once
COVERED = 0.5  # of the products must have an attribute, or filtering by it hides more than it finds
UNIQUE = 0.95  # whole numbers that nearly all differ are numbers of articles, not of anything
RESERVED = ("id", "category", "cluster")
TITLES = ("name", "title", "product_name", "product_display_name", "productdisplayname")  # say one product
BOUNDS = ("min", "max", "not")
DEEPEST = 16  # filters within filters


@dataclass(frozen=True, slots=True)
class Facet:
    """One attribute to filter by.

    Of words and flags, `values` has each with its number of products and, where the attribute is a colour, what it
    looks like as "#rrggbb"; most frequent first. A number has `minimum` and `maximum`.
    """

    name: str
    kind: Kind
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

    kind: Kind
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

    def of(self, values: Sequence[Any], name: str) -> NDArray[np.bool_]:
        """Which products have one of `values`. Raises BadOption where a value is of another kind."""
        wanted = [self._read(value, name) for value in values]
        if self.kind == "number":
            return np.isin(self.data, np.array(wanted, np.float64))
        place = {word: number for number, word in enumerate(self.words)}
        return np.isin(self.data, [place[word] for word in wanted if word in place])

    def _read(self, value: Any, name: str) -> Any:
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
        raise BadOption(f"{name} cannot be {shown(value)}.", remedy=f"{name} takes {allowed}.")


class Columns:
    """The attributes of all products by name, with the shop's own category as "category".

    An attribute that is itself called id, category or cluster gets the prefix `attribute_`.
    """

    def __init__(
        self, categories: Sequence[str], attributes: Sequence[str], kinds: Mapping[str, Kind] | None = None
    ) -> None:
        """`N` categories, and the attributes of `N` products as JSON texts.

        `kinds` are those of the whole catalogue's columns, see `kinds`, where these are not all of its products: no few
        of them can tell that others have words where they have numbers.
        """
        self._categories = categories
        self._texts = attributes
        self._kinds = kinds

    def __len__(self) -> int:
        return len(self._categories)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Every column, category first, then in the order in which products first name them; none of long texts."""
        cells: dict[str, tuple[list[int], list[Any]]] = {}
        for row, name, value in _cells(self._texts, lambda name: cells.pop(name, None)):
            places, values = cells.setdefault(name, ([], []))
            places.append(row)
            values.append(value)
        found = {"category": _column(len(self), range(len(self)), list(self._categories), "words")}
        named = {_column_name(name): cell for name, cell in cells.items()}
        if self._kinds is None:
            return found | {name: _column(len(self), *cell) for name, cell in named.items()}
        for name, kind in self._kinds.items():
            if name != "category":
                found[name] = _column(len(self), *named.get(name, ((), [])), kind)
        return found

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kind of every column by name."""
        return {name: column.kind for name, column in self.by_name.items()}

    def check(self, where: Where) -> None:
        """Raise BadOption where a filter asks for what no product can have; see Shop.matching."""
        Columns((), (), self.kinds).matching(where)

    def facets(self, swatches: Mapping[str, Mapping[str, str]]) -> list[Facet]:
        """The columns fit to filter by: category, colours, other words, flags, numbers."""
        found = [
            facet
            for name, column in self.by_name.items()
            if (facet := self._facet(name, column, swatches.get(name, {}))) is not None
        ]
        rank = {"words": 2, "flag": 3, "number": 4}
        found.sort(
            key=lambda each: 0 if each.name == "category" else 1 if each.name in swatches else rank[each.kind]
        )
        return found

    def _facet(self, name: str, column: Column, colours: Mapping[str, str]) -> Facet | None:
        known = int(column.known.sum())
        if name != "category" and known < COVERED * len(self):
            return None
        if column.kind == "number":
            values = column.data[column.known]
            low, high = float(values.min()), float(values.max())
            whole = bool((values == np.rint(values)).all())
            if low == high or (whole and known > 100 and len(np.unique(values)) > UNIQUE * known):
                return None
            return Facet(name, "number", (), low, high)
        if name != "category" and (
            name.lower() in TITLES or not 2 <= len(column.words) <= MOST_VALUES or self._follows(column)
        ):
            return None
        pairs = zip(column.words, column.counts.tolist(), strict=True)
        flag = column.kind == "flag"
        return Facet(
            name,
            column.kind,
            tuple((word == "true" if flag else word, count, colours.get(word)) for word, count in pairs),
        )

    def _follows(self, column: Column) -> bool:
        """Whether the category tells the attribute: to filter by both would be to ask the same twice."""
        category = self.by_name["category"]
        both = np.unique(np.stack([category.data, column.data])[:, column.known], axis=1)
        return len(np.unique(both[0])) == both.shape[1]

    def matching(self, where: Where, depth: int = 0) -> NDArray[np.bool_]:
        """Which products fit, `(N,)`: all that `where` says; see Shop.matching. Raises BadOption."""
        if depth > DEEPEST:
            raise BadOption(
                f"The filter is nested more than {DEEPEST} deep.", remedy="Say the same with less nesting."
            )
        fits = np.ones(len(self), np.bool_)
        for name, asked in where.items():
            parts = _combined(name, asked)
            column = self.by_name.get(name)
            if parts is not None and column is None:
                each = [self.matching(part, depth + 1) for part in parts]
                if name == "not":
                    fits &= ~each[0]
                else:
                    join = np.logical_or if name == "any" else np.logical_and
                    fits &= join.reduce(each, axis=0, initial=name == "all")
                continue
            if column is None:
                names = ", ".join(list(self.by_name)[:20])
                raise BadOption(
                    f"The shop's products have no attribute {shown(name)}.", remedy=f"Choose one of {names}."
                )
            fits &= _fits(column, name, asked)
        return fits


def kinds_of(texts: Sequence[str]) -> dict[str, Kind]:
    """The kind of every column by name, category first, of JSON texts; without the columns, which take memory."""
    found: dict[str, Kind] = {}
    for _, name, value in _cells(texts, lambda name: found.pop(name, None)):
        kind = _kind([value])
        found[name] = kind if found.get(name, kind) == kind else "words"
    named: dict[str, Kind] = {"category": "words"}
    named.update((_column_name(name), kind) for name, kind in found.items())
    return named


def _cells(texts: Sequence[str], forget: Callable[[str], object]) -> Iterator[tuple[int, str, Any]]:
    """Row, name and value of each attribute that a column can have; what describes is told by `forget`, once known."""
    described: set[str] = set()
    for row, attributes in enumerate(read_each(texts)):
        for name, value in attributes.items():
            if name in described or value is None or (isinstance(value, float) and not math.isfinite(value)):
                continue
            if isinstance(value, str) and len(value) > LONGEST_WORD:
                described.add(name)
                forget(name)
                continue
            yield row, name, value


def _column_name(name: str) -> str:
    return f"attribute_{name}" if name in RESERVED else name


def read_each(texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The attributes of each product, of JSON texts: many in one call, 10 times as fast, and never all in memory."""
    for begin in range(0, len(texts), AT_ONCE):
        yield from json.loads("[" + ",".join(texts[begin : begin + AT_ONCE]) + "]")


def _combined(name: str, asked: Any) -> list[Where] | None:
    """The filters that "any", "all" or "not" combine; None where that is an attribute's name and condition."""
    if name == "not" and isinstance(asked, Mapping):
        return [cast("Where", asked)]
    if name in ("any", "all") and isinstance(asked, (list, tuple)):
        parts = cast("Sequence[Any]", asked)
        return list(parts) if all(isinstance(part, Mapping) for part in parts) else None
    return None


def _fits(column: Column, name: str, asked: Any) -> NDArray[np.bool_]:
    if isinstance(asked, (list, tuple)):
        return column.of(cast("Sequence[Any]", asked), name)
    if not isinstance(asked, Mapping) or not set(cast("Where", asked)) <= set(BOUNDS) or not asked:
        raise BadOption(
            f"{name} cannot be filtered by {shown(asked)}.",
            remedy='Give a list of values, {"min": …, "max": …} or {"not": [values]}.',
        )
    given = cast("Where", asked)
    fits = np.ones(len(column.data), np.bool_)
    for bound in ("min", "max"):
        if given.get(bound) is None:
            continue
        value = given[bound]
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
        if column.kind != "number" or not sound:
            raise BadOption(
                f"{name} cannot be bounded by {shown(value)}.",
                remedy="min and max are numbers, for attributes that are numbers.",
            )
        fits &= column.data >= value if bound == "min" else column.data <= value
    unwanted = given.get("not", [])
    if not isinstance(unwanted, (list, tuple)):
        raise BadOption(f"{name} cannot be without {shown(unwanted)}.", remedy="not takes a list of values.")
    return fits & ~column.of(cast("Sequence[Any]", unwanted), name)


def _column(count: int, rows: Sequence[int], values: list[Any], kind: Kind | None = None) -> Column:
    """The column of `values` at `rows`, of a kind; if none is said, of theirs."""
    kind = kind or _kind(values)
    if kind == "number":
        data = np.full(count, np.nan)
        data[np.asarray(rows, np.intp)] = values
        return Column("number", data)
    if kind == "flag":
        values = ["true" if value else "false" for value in values]
    else:
        values = [value if isinstance(value, str) else str(value) for value in values]
    words, places, counts = np.unique(np.array(values, object), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    held = np.full(count, -1, np.intp)
    held[np.asarray(rows, np.intp)] = rank[places]
    return Column(kind, held, tuple(str(words[place]) for place in order))


def _kind(values: list[Any]) -> Kind:
    """What is neither all flags nor all numbers is words."""
    if all(isinstance(value, bool) for value in values):
        return "flag"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return "number"
    return "words"


def shown(value: Any) -> str:
    """A value as an error says it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


WRITING = re.compile(r"([^=!<>]+?)\s*(!=|>=|<=|=)\s*(.+)", re.DOTALL)
WRITTEN = "Write name=value,value or name!=value, name>=number or name<=number, or a JSON object."


def parse_where(texts: Sequence[str]) -> dict[str, Any]:
    """A filter as written on a command line, all of which must fit: `colour=Red,Blue`, `gender!=Men`, `year>=2012`,
    `price<=50`, or JSON as `matching` takes it. Raises BadOption.
    """
    parts: list[dict[str, Any]] = []
    for text in texts:
        if text.lstrip().startswith("{"):
            try:
                parts.append(json.loads(text))
            except ValueError as error:
                raise BadOption(f"The filter {shown(text)} is not JSON: {error}.", remedy=WRITTEN) from None
            continue
        found = WRITING.fullmatch(text)
        if found is None:
            raise BadOption(f"The filter {shown(text)} cannot be read.", remedy=WRITTEN)
        name, sign, value = (part.strip() for part in found.groups())
        values = [each.strip() for each in value.split(",")]
        if sign in ("=", "!="):
            parts.append({name: values if sign == "=" else {"not": values}})
            continue
        try:
            bound = float(value)
        except ValueError:
            raise BadOption(f"{name} cannot be bounded by {shown(value)}.", remedy=WRITTEN) from None
        parts.append({name: {"min" if sign == ">=" else "max": bound}})
    return {"all": parts} if parts else {}
