"""What shards cost and bring: one process beside 1, 2 and 3 shards on this machine, on synthetic products.

    python benchmarks/scale/shards.py [--products 100000] [--shards 1,2,3] [--questions 300] [--clients 4] [--json]

Each line is of `look`: the 10 nearest by likelihood, everywhere, with their words. "alone" asks one question after
another; "together" has some clients ask at once. All share this machine's processors, clients too: the table says what
Ray Serve adds to a question and how far splitting helps here, not what many machines would do.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from modiste.latent.clusters import Clusters
from modiste.scale.cluster import connected
from modiste.search.index import warm
from modiste.search.shards import rows_of_shards
from modiste.shop.counsel import Probes
from modiste.shop.indexing import Encodings
from modiste.shop.looking import Look
from modiste.shop.packs import WHOLE, Packable, Packs
from modiste.shop.products import Products
from modiste.shop.tally import Tally
from modiste.shop.ways import Spread
from modiste.shop.whole import Whole

N, KINDS = 16, 30
NOWHERE = "nowhere"  # the place of a shop that is only packs


@dataclass(frozen=True)
class Synthetic(Packable):
    """Products as VAEs lay them: 30 kinds, each a cluster, some latents active, some nearly collapsed."""

    @classmethod
    def made(cls, count: int) -> Synthetic:
        random = np.random.default_rng(0)
        base = np.geomspace(0.08, 0.95, N)
        kinds = random.normal(size=(KINDS, N)) * np.sqrt(1 - base**2)
        of = random.integers(0, KINDS, count)
        mean = (kinds[of] + 0.4 * random.normal(size=(count, N)) * np.sqrt(1 - base**2)).astype(np.float32)
        std = (base * np.exp(0.25 * random.normal(size=(count, N)))).astype(np.float32)
        code = mean + std * random.normal(size=N).astype(np.float32)
        ids = [f"{number:08d}" for number in range(count)]
        words = ['{"colour": "Red", "price": 10}'] * count
        products = Products(ids, [f"kind {each}" for each in of.tolist()], lambda: words)
        return cls(
            products, Encodings(mean, std, code), of, random.random((count, 2)).astype(np.float32), 0.0
        )

    def whole(self, version: str) -> Whole:
        held = self.encodings
        centres = np.stack([held.code[self.assignments == each].mean(axis=0) for each in range(KINDS)])
        labels = tuple(f"kind {each}" for each in range(KINDS))
        return Whole(
            version=version,
            model="synthetic",
            count=len(self.catalogue),
            latent=N,
            tau=0.0,
            clusters=Clusters(centres.astype(np.float32), labels, "code", "kmeans"),
            tally=Tally.of(self.assignments, self.catalogue.categories, KINDS),
            spread=Spread.of(self.assignments, held.mean, held.code, KINDS),
            kinds={"category": "words", "colour": "words", "price": "number"},
            thresholds={},
            loneliness=[],
            probes=Probes((), held.code[:0]),
            reach=np.stack([held.code.min(axis=0), held.code.max(axis=0)], axis=1),
        )

    def designs(self, count: int) -> np.ndarray:
        random = np.random.default_rng(1)
        rows = random.integers(0, len(self.catalogue), count)
        noise = random.normal(size=(count, N))
        return (self.encodings.mean[rows] + self.encodings.std[rows] * noise).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--shards", default="1,2,3")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"MODISTE_CACHE": scratch, "RAY_worker_niceness": "0"}
        rows = list(measured(asked))
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{asked.products:,} products, {asked.clients} clients, {os.cpu_count()} processors")
    print(f"{'':12}{'alone p50':>12}{'p99 ms':>9}{'together/s':>12}{'p99 ms':>9}{'MB/replica':>12}")
    for row in rows:
        print(
            f"{row['who']:12}{row['alone_p50_ms']:12.2f}{row['alone_p99_ms']:9.2f}{row['together_per_second']:12.0f}"
            f"{row['together_p99_ms']:9.2f}{row['megabytes_per_replica']:12.0f}"
        )


def measured(asked: argparse.Namespace) -> Any:
    """A row for one process, and one for each number of shards; answers are compared on the way."""
    made = Synthetic.made(asked.products)
    version, designs = f"synthetic-{asked.products}", made.designs(asked.questions)
    whole = made.whole(version)
    packs = Packs(NOWHERE, version, 1)
    packs.write(made, 0, np.arange(asked.products))
    whole.save(packs.root / WHOLE)
    warm()
    shelf = packs.open(0, whole)
    assert shelf is not None
    looks = [Look(code, 10, "likelihood", "euclidean", 0.0) for code in designs]
    expected = [shelf.look([each])[0] for each in looks]
    yield {"who": "one process"} | timed(lambda each: shelf.look([each]), looks, asked.clients, 0.0)
    counts = [int(each) for each in asked.shards.split(",")]
    for count in counts:
        if count > 1:
            for shard, rows in enumerate(rows_of_shards(made.catalogue.ids, count)):
                Packs(NOWHERE, version, count).write(made, shard, rows)
    from modiste.scale.generations import SHARD, begin
    from modiste.scale.sharded import Sharded

    with connected("local"):
        from ray import serve

        serve.start(proxy_location="Disabled")
        for count in counts:
            name = f"bench-{count}"
            begin(name, NOWHERE, version, count, 1)
            handles = [serve.get_deployment_handle(SHARD.format(i), app_name=name) for i in range(count)]
            sharded = Sharded(whole, handles)
            assert [sharded.look([each])[0] for each in looks] == expected
            size = max(each["bytes"] for each in sharded.about()) / 1e6
            who = f"{count} shard{'s' if count > 1 else ''}"
            yield {"who": who} | timed(lambda each, to=sharded: to.look([each]), looks, asked.clients, size)
            serve.delete(name)


def timed(ask: Callable[[Look], Any], looks: list[Look], clients: int, size: float) -> dict[str, float]:
    """How long questions take one after another, and how many are answered when some clients ask at once."""

    def one(look: Look) -> float:
        began = time.perf_counter()
        ask(look)
        return 1e3 * (time.perf_counter() - began)

    for look in looks[:20]:
        one(look)
    alone = [one(look) for look in looks]
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        together = list(pool.map(one, looks))
    return {
        "alone_p50_ms": float(np.median(alone)),
        "alone_p99_ms": float(np.percentile(alone, 99)),
        "together_per_second": len(looks) / (time.perf_counter() - began),
        "together_p99_ms": float(np.percentile(together, 99)),
        "megabytes_per_replica": size,
    }


if __name__ == "__main__":
    main()
