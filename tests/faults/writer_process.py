"""Process that repeats one change of a shop and prints each acknowledged change, so that tests can kill it.

    python -m tests.faults.writer_process WHAT SHOP

It prints "ready" when everything is loaded, then one line for every acknowledged change.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from modiste.images.photo import to_png
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.incremental_update import update_shop
from modiste.pipeline.index import index_shop
from modiste.pipeline.map import make_map
from modiste.pipeline.product_changes import model_ids, put_products, remove_products, use_model
from modiste.pipeline.train import train_shop
from modiste.shop.shop import Shop
from modiste.sources.record import Record


def product(number: int) -> Record:
    """Return a new product, by its number."""
    photo = np.random.default_rng(number).integers(0, 255, (64, 48, 3), dtype=np.uint8)
    return Record(f"new-{number}", "noise", to_png(photo), {"number": number})


def put(path: Path) -> Iterator[str]:
    """Put products one by one."""
    ids = set(Shop.open(path, need="catalogue").catalogue.ids)
    for number in itertools.count():
        if f"new-{number}" not in ids:
            put_products(path, [product(number)])
            yield str(number)


def carry(path: Path) -> Iterator[str]:
    """Put products one by one, and update encodings, clusters, index and map after each."""
    for number in put(path):
        update_shop(path)
        yield number


def remove(path: Path) -> Iterator[str]:
    """Remove products one by one."""
    for id_ in Shop.open(path, need="catalogue").catalogue.ids[:-5]:
        remove_products(path, [id_])
        yield id_


def again(work: Callable[[Path], object]) -> Callable[[Path], Iterator[str]]:
    """Repeat the same work."""

    def repeat(path: Path) -> Iterator[str]:
        for number in itertools.count():
            work(path)
            yield str(number)

    return repeat


def switch(path: Path) -> Iterator[str]:
    """Switch between the models."""
    files = Shop.open(path, need="catalogue").files
    for model in itertools.cycle(model_ids(files)):
        use_model(path, model)
        yield model


WORK: dict[str, Callable[[Path], Iterator[str]]] = {
    "put": put,
    "update": carry,
    "remove": remove,
    "encode": again(encode_shop),
    "cluster": again(lambda path: cluster_shop(path, k=3, method="kmeans")),
    "index": again(lambda path: index_shop(path, tau=0.1)),
    "map": again(make_map),
    "model": switch,
    "train": again(lambda path: train_shop(path, epochs=2, latent=8, seed=11, resume=True)),
}


def main() -> None:
    """Work until killed."""
    what, path = sys.argv[1], Path(sys.argv[2])
    Shop.open(path, need="catalogue")
    print("ready", flush=True)
    for done in WORK[what](path):
        print(done, flush=True)


if __name__ == "__main__":
    main()
