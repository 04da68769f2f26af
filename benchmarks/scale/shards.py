"""Cost and gain of shards: one process in comparison with 1, 2 and 3 shards on this machine, with synthetic products.

    python benchmarks/scale/shards.py [--products 100000 ...] [--shards 1,2,3] [--questions 300] [--clients 4]
                                      [--page docs/scale.md] [--json]

Each query finds the 10 nearest products by likelihood in the catalogue, with their attributes. "Alone" sends one query
after another; "together" sends queries from several clients at once. "Ready" is the time that the replicas took to
start, including measuring the hub penalties. The products are of 30 kinds in three clusters. Everything shares this
machine's processors, the clients too: the table shows what Ray Serve adds to a query and what shards gain here, but not
what many machines would gain.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measurements import write_between

from modiste.distributed.ray_session import connect
from modiste.distributed.shard_files import PENALTIES_DIR, SUMMARY_DIR, ShardFiles, ShardSource
from modiste.latent.clusters import Clusters
from modiste.search.index import warm_up_kernels
from modiste.search.sharding import rows_by_shard
from modiste.shop.backend import Query
from modiste.shop.cluster_transfer import ClusterMoments
from modiste.shop.loading import EncodingArrays
from modiste.shop.products import Products
from modiste.shop.summary import CategoryCounts, ReferenceCodes, ShopSummary

N, KINDS, CLUSTERS = 16, 30, 3
NOWHERE = "nowhere"  # the place of a shop that is only packs
MARK = "scale-shards"


@dataclass(frozen=True)
class Synthetic(ShardSource):
    """Products as VAEs encode them: 30 kinds, ten in each cluster, some latents active, some nearly collapsed."""

    @classmethod
    def synthetic_products(cls, count: int) -> Synthetic:
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
            products, EncodingArrays(mean, std, code), of % CLUSTERS, random.random((count, 2)).astype(np.float32), 0.0
        )

    def whole(self, version: str) -> ShopSummary:
        encodings = self.encodings
        centres = np.stack([encodings.code[self.assignments == each].mean(axis=0) for each in range(CLUSTERS)])
        labels = tuple(f"cluster {each}" for each in range(CLUSTERS))
        return ShopSummary(
            version=version,
            model="synthetic",
            product_count=len(self.catalogue),
            latent_dim=N,
            tau=0.0,
            clusters=Clusters(centres.astype(np.float32), labels, "code", "kmeans"),
            category_counts=CategoryCounts.of(self.assignments, self.catalogue.categories, CLUSTERS),
            cluster_moments=ClusterMoments.of(self.assignments, encodings.mean, encodings.code, CLUSTERS),
            kinds={"category": "words", "colour": "words", "price": "number"},
            thresholds={},
            neighbour_distances=[],
            reference_codes=ReferenceCodes((), encodings.code[:0]),
            code_bounds=np.stack([encodings.code.min(axis=0), encodings.code.max(axis=0)], axis=1),
        )

    def designs(self, count: int) -> np.ndarray:
        random = np.random.default_rng(1)
        rows = random.integers(0, len(self.catalogue), count)
        noise = random.normal(size=(count, N))
        return (self.encodings.mean[rows] + self.encodings.std[rows] * noise).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, nargs="+", default=[100_000])
    parser.add_argument("--shards", default="1,2,3")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"MODISTE_CACHE": scratch, "RAY_worker_niceness": "0"}
        rows = [row for count in args.products for row in measured(args, count)]
    if args.json:
        print(json.dumps(rows, indent=2))
        return
    text = table(rows, args.clients)
    print(text)
    if args.page is not None:
        write_between(args.page, MARK, text)


def table(rows: list[dict[str, Any]], clients: int) -> str:
    """Return the rows as Markdown."""
    lines = [
        "In the columns with one client, this client sends one query after the other. In the columns with "
        f"{clients} clients, all clients do this at the same time. The machine has {os.cpu_count()} processors.",
        "",
        "| products | searched by | start, s | one client: median, ms | one client: p99, ms "
        f"| {clients} clients: queries/s | {clients} clients: p99, ms | memory of one replica, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ready = f"{row['ready_s']:.1f}" if row["ready_s"] else "–"
        size = f"{row['megabytes_per_replica']:.0f}" if row["megabytes_per_replica"] else "–"
        lines.append(
            f"| {row['products']:,} | {row['who']} | {ready} "
            f"| {row['alone_p50_ms']:.2f} | {row['alone_p99_ms']:.2f} "
            f"| {row['together_per_second']:.0f} | {row['together_p99_ms']:.2f} | {size} |"
        )
    return "\n".join(lines)


def measured(args: argparse.Namespace, products: int) -> Iterator[dict[str, Any]]:
    """Yield a row for one process, and one for each number of shards. The results are compared."""
    products_source = Synthetic.synthetic_products(products)
    version, designs = f"synthetic-{products}", products_source.designs(args.questions)
    whole = products_source.whole(version)
    packs = ShardFiles(NOWHERE, version, 1)
    packs.write(products_source, 0, np.arange(products))
    whole.save(packs.root / SUMMARY_DIR)
    warm_up_kernels()
    shelf = packs.open(0, whole)
    assert shelf is not None
    looks = [Query(code, 10, "likelihood", "euclidean", 0.0) for code in designs]
    expected = [shelf.search([each])[0] for each in looks]
    row = {"products": products, "who": "one process", "ready_s": 0.0, "megabytes_per_replica": 0.0}
    yield row | timed(lambda each: shelf.search([each]), looks, args.clients)
    shutil.rmtree(packs.path(0) / PENALTIES_DIR)  # a shard of all measures it too
    counts = [int(each) for each in args.shards.split(",")]
    for count in counts:
        if count > 1:
            for shard, rows in enumerate(rows_by_shard(products_source.catalogue.ids, count)):
                ShardFiles(NOWHERE, version, count).write(products_source, shard, rows)
    from modiste.distributed.shard_backend import ShardBackend
    from modiste.distributed.shard_deploy import DEPLOYMENT_NAME, start_application

    with connect("local"):
        from ray import serve

        serve.start(proxy_location="Disabled")
        for count in counts:
            name = f"bench-{products}-{count}"
            began = time.perf_counter()
            start_application(name, NOWHERE, version, count, 1)
            ready = time.perf_counter() - began
            handles = [serve.get_deployment_handle(DEPLOYMENT_NAME.format(i), app_name=name) for i in range(count)]
            sharded = ShardBackend(whole, handles)
            assert [sharded.search([each])[0] for each in looks] == expected
            size = max(each["bytes"] for each in sharded.replica_status()) / 1e6
            who = f"{count} shard{'s' if count > 1 else ''}"
            row = {"products": products, "who": who, "ready_s": ready, "megabytes_per_replica": size}
            yield row | timed(lambda each, to=sharded: to.search([each]), looks, args.clients)
            serve.delete(name)


def timed(ask: Callable[[Query], Any], looks: list[Query], clients: int) -> dict[str, float]:
    """Measure queries one after another, and queries per second of several clients at once."""

    def one(look: Query) -> float:
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
    }


if __name__ == "__main__":
    main()
