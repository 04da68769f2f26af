"""Encodings of the catalogue by one model, as an Arrow table that names the catalogue it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modiste.errors import BadCode, SchemaError

ENCODING_COLUMNS = ("mean", "std", "code")
CATALOGUE_HASH_KEY = b"modiste:catalogue_hash"
TABLE_PREFIX = "encodings-"
PHOTO_HASH = "photo_hash"


@dataclass(frozen=True, eq=False)
class Encodings:
    """Posteriors and fixed-epsilon codes of all products: `N` ids, and float32 `(N, n)` each.

    `catalogue_hash` is the value of `ProductStore.hash()` when they were written. `photo_hashes` are those of the
    photos that were encoded; Modiste 0.1.0 did not write them, and they are None then.
    """

    ids: list[str]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    code: NDArray[np.float32]
    catalogue_hash: str
    photo_hashes: list[str] | None = None


def to_arrow(
    ids: Sequence[str], parts: Sequence[NDArray[np.float32]], catalogue_hash: str, photo_hashes: Sequence[str]
) -> pa.Table:
    """Convert encodings to a table: the id, one fixed-size list each for mean, std and code, and the photo's hash.

    Raises BadCode if the arrays are not all `(N, n)`, not finite, or a std is not above 0.
    """
    arrays = [np.ascontiguousarray(part, np.float32) for part in parts]
    shape = arrays[0].shape
    if len(shape) != 2 or shape[0] != len(ids) or any(array.shape != shape for array in arrays):
        raise BadCode(
            f"{len(ids)} ids do not match arrays of shape {[array.shape for array in arrays]}.",
            remedy="Give mean, std and code of shape (N, n) each, one row per id.",
        )
    if not all(np.isfinite(array).all() for array in arrays) or (arrays[1] <= 0).any():
        raise BadCode("An encoding is not finite, or a std is not above 0.", remedy="Train the model again.")
    vector = pa.list_(pa.float32(), shape[1])
    fields = [pa.field("id", pa.string(), nullable=False), *(pa.field(name, vector) for name in ENCODING_COLUMNS)]
    fields.append(pa.field(PHOTO_HASH, pa.string(), nullable=False))
    columns = [pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), shape[1]) for array in arrays]
    schema = pa.schema(fields, metadata={CATALOGUE_HASH_KEY: catalogue_hash.encode()})
    texts = [pa.array(text, pa.string()) for text in (ids, photo_hashes)]
    return pa.Table.from_arrays([texts[0], *columns, texts[1]], schema=schema)


def from_arrow(table: pa.Table, metadata: dict[bytes, bytes] | None) -> Encodings:
    """Convert a table that `to_arrow` made, and its schema's metadata, to encodings. Raises SchemaError."""
    remedy = "Encode the shop again with `modiste encode`."
    if metadata is None or CATALOGUE_HASH_KEY not in metadata:
        raise SchemaError("The encodings do not name the catalogue that they were made from.", remedy=remedy)
    parts: list[NDArray[np.float32]] = []
    for name in ENCODING_COLUMNS:
        column: Any = table.column(name).combine_chunks()
        if not pa.types.is_fixed_size_list(column.type) or column.type.value_type != pa.float32():
            raise SchemaError(f"The encodings hold {name} as {column.type}.", remedy=remedy)
        flat: NDArray[np.float32] = column.flatten().to_numpy(zero_copy_only=False)
        parts.append(flat.reshape(len(table), column.type.list_size))
    ids = cast("list[str]", table.column("id").to_pylist())
    hashes = cast("list[str]", table.column(PHOTO_HASH).to_pylist()) if PHOTO_HASH in table.column_names else None
    return Encodings(ids, parts[0], parts[1], parts[2], metadata[CATALOGUE_HASH_KEY].decode(), hashes)
