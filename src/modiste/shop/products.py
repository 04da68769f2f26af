"""The shop's products in memory: ids, categories and attributes, ordered by id. Rows elsewhere follow this order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modiste.errors import StaleError, UnknownProduct
from modiste.shop.filters import RESERVED_NAMES, TITLE_NAMES, ColumnKind, Columns, column_kinds, iter_attributes
from modiste.storage.product_store import ProductStore, largest_first


class TextColumn(Sequence[str]):
    """A text column in another order, without a copy: the attributes of a large shop take a gigabyte."""

    def __init__(self, column: pa.ChunkedArray, order: NDArray[np.integer[Any]]) -> None:
        self._column: Any = column
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        return self._column[int(self._order[row])].as_py()


class Products:
    """All products without their photos, ordered by id."""

    def __init__(
        self,
        ids: list[str],
        categories: list[str],
        attributes: Callable[[], Sequence[str]],
        kinds: Mapping[str, ColumnKind] | None = None,
    ) -> None:
        """Create it for `N` products, ids in order.

        `attributes` returns their attributes as JSON texts; it is called when the first is needed. `kinds` are those of
        the columns of the whole catalogue, if these are only some of its products.
        """
        self.ids = ids
        self._kinds = kinds
        self.categories = categories
        self._load_attributes = attributes

    @classmethod
    def read(cls, store: ProductStore) -> Products:
        """Read the products of a store.

        Attributes that are not memory-mapped are read when first needed: most stages that build a shop never need them.
        """
        if store.has_snapshot:
            table: Any = store.table(["id", "category", "attributes"])
            order = _order_by_id(table)
            return cls(*_ids_and_categories(table, order), lambda: _attribute_column(table, order))
        table = store.table(["id", "category"])
        ids, categories = _ids_and_categories(table, _order_by_id(table))
        return cls(ids, categories, lambda: _read_attributes(store, ids))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _attributes(self) -> Sequence[str]:
        return self._load_attributes()

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {id_: row for row, id_ in enumerate(self.ids)}

    def row(self, product_id: str) -> int:
        """Return the row of a product. Raises UnknownProduct."""
        row = self._rows.get(product_id)
        if row is None:
            examples = ", ".join(self.ids[:3])
            raise UnknownProduct(
                f"The shop has no product {product_id!r}.",
                remedy=f"Its ids look like {examples}; `modiste info --shop DIR` describes the shop.",
            )
        return row

    def rows(self, ids: list[str]) -> NDArray[np.intp]:
        """Return the rows of products, `(b,)`. Raises UnknownProduct."""
        return np.array([self.row(id_) for id_ in ids], np.intp)

    def attributes_json(self, row: int) -> str:
        """Return the attributes of the product in a row, as JSON."""
        return self._attributes[row]

    def attributes(self, row: int) -> dict[str, Any]:
        """Return the attributes of the product in a row."""
        return json.loads(self._attributes[row])

    def iter_products(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield id, category and attributes of every product, in order; parsed in batches."""
        return zip(self.ids, self.categories, iter_attributes(self._attributes), strict=True)

    @cached_property
    def columns(self) -> Columns:
        """The attributes of all products as columns, to filter by."""
        return Columns(self.categories, self._attributes, self._kinds)

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        """The kind of every column by name, without the memory of `columns`."""
        return column_kinds(self._attributes)

    def title(self, row: int) -> str:
        """Return the title of the product in a row; see `product_title`."""
        return product_title(self.ids[row], self.attributes(row))

    def counts(self) -> dict[str, int]:
        """Return the number of products of each category, largest first."""
        return largest_first(self.categories)

    def to_pandas(self, clusters: NDArray[np.intp] | None) -> Any:
        """Return a pandas DataFrame: id, category, cluster if given, then one column per attribute.

        An attribute that is itself called id, category or cluster gets the prefix `attribute_`.
        """
        import pandas

        rows = list(iter_attributes(self._attributes))
        table: Any = pandas.DataFrame.from_records(rows, index=range(len(rows)))
        table = table.rename(columns={name: f"attribute_{name}" for name in RESERVED_NAMES})
        table.insert(0, "id", self.ids)
        table.insert(1, "category", self.categories)
        if clusters is not None:
            table.insert(2, "cluster", clusters)
        return table


def _order_by_id(table: Any) -> Any:
    """Return the rows of a table in the order of their ids, as an Arrow array."""
    return cast(Any, pc).sort_indices(table.select(["id"]), [("id", "ascending")])


def _ids_and_categories(table: Any, order: Any) -> tuple[list[str], list[str]]:
    """Return ids and categories in an order."""
    ids, categories = (table.column(name).take(order).to_pylist() for name in ("id", "category"))
    return ids, categories


def _attribute_column(table: Any, order: Any) -> TextColumn:
    """Return the attributes in an order."""
    rows = np.frombuffer(order.buffers()[1], np.uint64, len(order))  # `to_numpy` would import pandas
    return TextColumn(table.column("attributes"), rows)


def _read_attributes(store: ProductStore, ids: list[str]) -> TextColumn:
    """Read the attributes of all products, in the order of their ids. Raises StaleError if the ids have changed."""
    table: Any = store.table(["id", "attributes"])
    order = _order_by_id(table)
    if table.column("id").take(order).to_pylist() != ids:
        raise StaleError(
            "The shop's products have changed since it was opened.",
            remedy="Open the shop again, or run the command again.",
        )
    return _attribute_column(table, order)


def product_title(id_: str, attributes: Mapping[str, Any]) -> str:
    """Return what to call a product: its name or title if it has one, else its id."""
    by_name = {name.lower(): value for name, value in attributes.items()}
    return next((str(by_name[name]) for name in TITLE_NAMES if by_name.get(name)), id_)
