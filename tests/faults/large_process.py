"""Process that runs one stage on a shop whose products have long attributes, and measures its memory.

    python -m tests.faults.large_process WHAT DIRECTORY COUNT

`DIRECTORY` has a shop with a model, and gets a catalogue, `products.parquet`, with its photos inside. The last line is
JSON: the result; `mb`, the peak memory of the process (VmHWM); and `seconds`.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLOURS = ("black", "blue", "brown", "green", "grey", "pink", "red", "white")
KINDS = ("bags", "eyewear", "footwear")
LONG, SHORT, NOTES = 5800, 990, 4  # characters: one that describes, and some just short enough to filter by
POOL = 16 * 2**20
ROWS = 1000  # written at once
CATALOGUE = "products.parquet"


def text_pool() -> str:
    """Return random words, from which unique texts are cut."""
    letters = np.frombuffer("abcdefghijklmnopqrstuvwxyzäé".encode("utf-32-le"), np.uint32)
    drawn = letters[np.random.default_rng(0).integers(0, len(letters), POOL)]
    drawn[np.random.default_rng(1).integers(0, POOL, POOL // 6)] = ord(" ")
    return drawn.tobytes().decode("utf-32-le")


def attributes(number: int, pool: str) -> dict[str, Any]:
    """Return some 10 kB of attributes, by the product's number."""
    dice = np.random.default_rng(number)
    starts = dice.integers(0, POOL - LONG, NOTES + 1).tolist()
    notes = {f"note_{at}": pool[start : start + SHORT].strip() for at, start in enumerate(starts[1:])}
    return {
        "name": f"Item {number}",
        "colour": COLOURS[number % len(COLOURS)],
        "price": number % 977 + 0.5,
        "in_stock": number % 5 > 0,
        "description": pool[starts[0] : starts[0] + LONG].strip(),
        **notes,
    }


def product_id(number: int) -> str:
    """Return the id of a product, by its number."""
    return f"p{number:06d}"


def write(directory: Path, count: int) -> dict[str, Any]:
    """Write the catalogue as Parquet, in the layout of Hugging Face data sets."""
    from modiste.images.photo import to_png

    pool = text_pool()
    writer: Any = None
    for first in range(0, count, ROWS):
        rows: list[dict[str, Any]] = []
        for number in range(first, min(first + ROWS, count)):
            dice = np.random.default_rng(number)
            photo = np.kron(dice.integers(0, 255, (6, 4, 3)), np.ones((4, 4, 1))).astype(np.uint8)
            image = {"bytes": to_png(photo), "path": None}
            named = {"id": product_id(number), "category": KINDS[number % len(KINDS)], "image": image}
            rows.append(named | attributes(number, pool))
        kinds = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        table = pa.Table.from_pylist(rows)
        at = table.schema.get_field_index("image")
        table = table.set_column(at, "image", table.column("image").cast(kinds))
        writer = writer or pq.ParquetWriter(directory / CATALOGUE, table.schema, compression="zstd")
        writer.write_table(table)
    writer.close()
    return {"bytes": (directory / CATALOGUE).stat().st_size}


def take_in(directory: Path, count: int) -> dict[str, Any]:
    from modiste.pipeline.ingest import ingest

    return ingest(str(directory / CATALOGUE), directory / "shop").to_dict()


def encode(directory: Path, count: int) -> dict[str, Any]:
    from modiste.pipeline.encode import encode_shop

    return encode_shop(directory / "shop", threads=2)


def cluster(directory: Path, count: int) -> dict[str, Any]:
    from modiste.pipeline.cluster import cluster_shop

    return {"labels": cluster_shop(directory / "shop", k=3, method="kmeans").labels}


def slide(directory: Path, count: int) -> dict[str, Any]:
    from modiste.pipeline.map import make_map
    from modiste.pipeline.sliders import make_sliders

    make_sliders(directory / "shop")
    make_map(directory / "shop")
    return {}


def examine(directory: Path, count: int) -> dict[str, Any]:
    from modiste.pipeline.doctor.check import check_shop

    return {"faults": [fault.message for fault in check_shop(directory / "shop")]}


def ask(directory: Path, count: int) -> dict[str, Any]:
    """Open the shop, list, filter and search."""
    from modiste.shop.shop import Shop

    shop = Shop.open(directory / "shop", need="map")
    ids = shop.catalogue.ids
    code = shop.code_of(product_id(7))
    pool = text_pool()
    right = [
        shop.catalogue.attributes(shop.catalogue.row(product_id(number))) == attributes(number, pool)
        for number in (0, 7, count - 1)
    ]
    return {
        "products": len(ids),
        "right": all(right),
        "near": [match.id for match in shop.similar(code, 3, "fixed-epsilon")],
        "blue": int(shop.filter_mask({"colour": ["blue"], "price": {"max": 100}}).sum()),
        "noted": int(shop.filter_mask({"note_0": [attributes(7, pool)["note_0"]]}).sum()),
        "facets": [facet.name for facet in shop.facets],
        "recommended": len(shop.recommend(code, 2)),
    }


WORK: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    each.__name__: each for each in (write, take_in, encode, cluster, slide, examine, ask)
}


def peak_mb(pid: int | str = "self") -> float:
    """Return the peak resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+)", status)
    assert match is not None
    return int(match[1]) / 1000


def main() -> None:
    """Run one stage."""
    what, directory, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    began = time.monotonic()
    result = WORK[what](directory, count)
    print(json.dumps({**result, "mb": peak_mb(), "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
