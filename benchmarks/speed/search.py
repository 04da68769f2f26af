"""Speed of search in comparison with peers: one thread, the same queries, all results compared with float64."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from report import Report, median

from modiste.latent.likelihood import log_likelihood
from modiste.search.index import LatentIndex
from modiste.search.scan import distance

Floats = NDArray[np.float32]
K, N, CLUSTERS = 10, 16, 30
Way = Callable[[Floats], NDArray[np.intp]]


@dataclass(frozen=True)
class Catalogue:
    """Synthetic products: mean, std and code `(rows, N)`, and cluster `(rows,)`."""

    mean: Floats
    std: Floats
    code: Floats
    cluster: NDArray[np.intp]

    @classmethod
    def like_a_vae(cls, rows: int, seed: int = 0) -> Catalogue:
        """Return a mixture of 30 kinds: some latents active, some nearly collapsed, deviations slightly different."""
        random = np.random.default_rng(seed)
        base = np.geomspace(0.08, 0.95, N)
        away = np.sqrt(1 - base**2)
        kinds = (random.normal(size=(CLUSTERS, N)) * away).astype(np.float32)
        cluster = random.integers(0, CLUSTERS, rows)
        mean = kinds[cluster] + (0.4 * away).astype(np.float32) * random.standard_normal((rows, N), np.float32)
        std = base.astype(np.float32) * np.exp(np.float32(0.25) * random.standard_normal((rows, N), np.float32))
        return cls(mean, std, mean + std * random.normal(size=N).astype(np.float32), cluster)

    @classmethod
    def hard(cls, rows: int, seed: int = 0) -> Catalogue:
        """No structure at all: points all over, each deviation by itself from .03 to .6. No bound can help."""
        random = np.random.default_rng(seed)
        mean = random.standard_normal((rows, N), np.float32)
        std = np.exp(random.uniform(np.log(0.03), np.log(0.6), (rows, N))).astype(np.float32)
        epsilon = random.normal(size=N).astype(np.float32)
        return cls(mean, std, mean + std * epsilon, np.zeros(rows, np.intp))

    def queries(self, count: int) -> Floats:
        """Return new codes, drawn from the products' posteriors."""
        random = np.random.default_rng(7)
        rows = random.integers(0, len(self.mean), count)
        return (self.mean[rows] + self.std[rows] * random.normal(size=(count, N))).astype(np.float32)

    def inner_products(self) -> Any:
        """Return FAISS's flat index of Eq. 2, as an inner product of 33 numbers."""
        index = faiss.IndexFlatIP(2 * N + 1)
        for start in range(0, len(self.mean), 500_000):
            part = slice(start, start + 500_000)
            variance = np.square(self.std[part], dtype=np.float64)
            mean = self.mean[part].astype(np.float64)
            constant = -0.5 * (mean**2 / variance + np.log(2 * np.pi * variance)).sum(axis=1)
            index.add(np.hstack([-0.5 / variance, mean / variance, constant[:, None]]).astype(np.float32))
        return index


def as_products(code: Floats) -> Floats:
    """Return a query for `inner_products`."""
    return np.concatenate([code**2, code, [np.float32(1)]]).astype(np.float32)[None]


def beside_faiss(index: LatentIndex, catalogue: Catalogue) -> dict[str, Way]:
    """Compare likelihood and distance by our index and by FAISS's flat ones."""
    inner, flat = catalogue.inner_products(), faiss.IndexFlatL2(N)
    flat.add(catalogue.code)
    return {
        "ours": lambda z: index.nearest(z, K)[0],
        "faiss inner product": lambda z: inner.search(as_products(z), K)[1][0],
        "ours, distance": lambda z: index.nearest(z, K, "fixed-epsilon")[0],
        "faiss distance": lambda z: flat.search(z[None], K)[1][0],
    }


def raced(ways: Mapping[str, Way], queries: Floats) -> tuple[dict[str, float], dict[str, list[Any]]]:
    """Return the median seconds of each way, which take turns, and their results."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, list[Any]] = {name: [] for name in ways}
    for way in ways.values():
        way(queries[0])
    for code in queries:
        for name, way in ways.items():
            start = time.perf_counter()
            result = way(code)
            times[name].append(time.perf_counter() - start)
            answers[name].append(result)
    return {name: median(each) for name, each in times.items()}, answers


def same(results: list[Any], truth: list[Any]) -> float:
    """Return the share of the true top tens in the results."""
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(results, truth, strict=True)]))


def measure(report: Report, *, quick: bool) -> None:
    """Run every comparison of search."""
    faiss.omp_set_num_threads(1)
    small(report)
    million(report, 20 if quick else 60)
    hard(report, 20 if quick else 60)
    large(report, 2_000_000 if quick else 10_000_000, 10 if quick else 30)
    file(report)


def small(report: Report) -> None:
    """Compare at the size of the paper's catalogue, with flat indexes and with approximate ones that fail."""
    catalogue = Catalogue.like_a_vae(21_759)
    report.heading("search, 21,759 products, top 10, one thread")
    index = LatentIndex(
        [str(i) for i in range(21_759)], catalogue.mean, catalogue.std, catalogue.code, catalogue.cluster
    )
    inner, flat = catalogue.inner_products(), faiss.IndexFlatL2(N)
    flat.add(catalogue.code)
    with tempfile.TemporaryDirectory() as scratch:
        table = lance_table(Path(scratch), catalogue.code)
        ways: dict[str, Way] = {
            "ours": lambda z: index.nearest(z, K)[0],
            "faiss inner product": lambda z: inner.search(as_products(z), K)[1][0],
            "float64 scan": lambda z: np.argsort(-log_likelihood(z, catalogue.mean, catalogue.std), kind="stable")[:K],
            "ours, distance": lambda z: index.nearest(z, K, "fixed-epsilon")[0],
            "faiss distance": lambda z: flat.search(z[None], K)[1][0],
            "LanceDB, distance": table,
        }
        times, answers = raced(ways, catalogue.queries(60))
    truth = answers["float64 scan"]
    milli = {name: 1e3 * each for name, each in times.items()}
    report.add("likelihood, 21,759 / FAISS flat IP", milli["ours"], milli["faiss inner product"], "ms", None)
    report.add("likelihood, 21,759 / float64 scan", milli["ours"], milli["float64 scan"], "ms", None)
    report.add("distance, 21,759 / FAISS flat L2", milli["ours, distance"], milli["faiss distance"], "ms", None)
    report.add("distance, 21,759 / LanceDB flat", milli["ours, distance"], milli["LanceDB, distance"], "ms", None)
    graph = faiss.IndexHNSWFlat(2 * N + 1, 16, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = 100, 200
    graph.add(faiss.rev_swig_ptr(inner.get_xb(), inner.ntotal * (2 * N + 1)).reshape(-1, 2 * N + 1))
    results = [graph.search(as_products(z), K)[1][0] for z in catalogue.queries(60)]
    report.add("recall, 21,759, likelihood", same(answers["ours"], truth), 1.0, "share", 1.0, more=True)
    report.note("recall of FAISS HNSW (ef 200) on the inner product", same(results, truth))


def million(report: Report, rounds: int) -> None:
    """Compare with a million products, as a VAE encodes them."""
    rows = 1_000_000
    catalogue = Catalogue.like_a_vae(rows)
    queries = catalogue.queries(rounds)
    report.heading(f"search, {rows:,} products, top 10, one thread")
    ids = [str(i) for i in range(rows)]
    start = time.perf_counter()
    index = LatentIndex(ids, catalogue.mean, catalogue.std, catalogue.code, catalogue.cluster)
    report.add("building", rows / (time.perf_counter() - start), 250_000, "products/s", 1.0, more=True)
    report.add("memory, likelihood", index.nbytes["likelihood"] / rows, 140, "bytes/product", 1.0)
    ways = beside_faiss(index, catalogue) | {
        "ours, manhattan": lambda z: index.nearest(z, K, "fixed-epsilon", "manhattan")[0]
    }
    times, answers = raced(ways, queries)
    milli = {name: 1e3 * each for name, each in times.items()}
    report.add("likelihood, 1 M / FAISS flat IP", milli["ours"], milli["faiss inner product"], "ms", 2.0)
    report.add("distance, clustered, 1 M / FAISS flat L2", milli["ours, distance"], milli["faiss distance"], "ms", 3.0)
    report.note("Manhattan distance, 1 M, ms", milli["ours, manhattan"])
    some = queries[:12]
    truth = [np.argsort(-log_likelihood(z, catalogue.mean, catalogue.std), kind="stable")[:K] for z in some]
    report.add("recall, 1 M, likelihood", same(answers["ours"][:12], truth), 1.0, "share", 1.0, more=True)
    truth = [np.argsort(distance(z, catalogue.code, "euclidean"), kind="stable")[:K] for z in some]
    report.add("recall, 1 M, distance", same(answers["ours, distance"][:12], truth), 1.0, "share", 1.0, more=True)
    start = time.perf_counter()
    index.nearest(queries[0], K, tau=0.15)
    report.add("another τ, 1 M", time.perf_counter() - start, 1.0, "s", 1.0)
    mask = np.random.default_rng(0).random(rows) < 0.3
    index.nearest(queries[0], K, rows=mask)
    times, results = raced({"filtered": lambda z: index.nearest(z, K, rows=mask)[0]}, some)
    report.note("a filter that 30 % pass, 1 M, ms", 1e3 * times["filtered"])
    truth = [
        np.flatnonzero(mask)[np.argsort(-log_likelihood(z, catalogue.mean[mask], catalogue.std[mask]))[:K]]
        for z in some
    ]
    report.add("recall, 1 M, filtered", same(results["filtered"], truth), 1.0, "share", 1.0, more=True)


def hard(report: Report, rounds: int) -> None:
    """Where bounds cannot help: every product is read."""
    rows = 1_000_000
    catalogue = Catalogue.hard(rows)
    report.heading(f"search, {rows:,} products without any structure, one thread")
    index = LatentIndex([str(i) for i in range(rows)], catalogue.mean, catalogue.std, catalogue.code, threads=1)
    shared = LatentIndex([str(i) for i in range(rows)], catalogue.mean, catalogue.std, catalogue.code, threads=2)
    ways = beside_faiss(index, catalogue) | {"two threads": lambda z: shared.nearest(z, K)[0]}
    times, _ = raced(ways, catalogue.queries(rounds))
    milli = {name: 1e3 * each for name, each in times.items()}
    report.add("likelihood, hard, 1 M / FAISS flat IP", milli["ours"], milli["faiss inner product"], "ms", None)
    report.add("distance, hard, 1 M / FAISS flat L2", milli["ours, distance"], milli["faiss distance"], "ms", 1.0)
    report.add("two threads, hard, 1 M / one", milli["two threads"], milli["ours"], "ms", 1.7)
    batch = catalogue.queries(32)
    start = time.perf_counter()
    index.nearest(batch, K)
    alone = time.perf_counter() - start
    start = time.perf_counter()
    shared.nearest(batch, K)
    report.add("two threads, a batch of 32, hard, 1 M / one", time.perf_counter() - start, alone, "s", 1.7)


def large(report: Report, rows: int, rounds: int) -> None:
    """Measure ten million products, or another number."""
    catalogue = Catalogue.like_a_vae(rows)
    queries = catalogue.queries(rounds)
    report.heading(f"search, {rows:,} products, top 10, one thread")
    ids = [str(i) for i in range(rows)]
    start = time.perf_counter()
    index = LatentIndex(ids, catalogue.mean, catalogue.std, catalogue.code, catalogue.cluster)
    report.add("building, large", rows / (time.perf_counter() - start), 250_000, "products/s", 1.0, more=True)
    own = catalogue.cluster
    nearest = [int(own[np.argmax(log_likelihood(z, catalogue.mean[:20_000], catalogue.std[:20_000]))]) for z in queries]
    of = {z.tobytes(): cluster for z, cluster in zip(queries, nearest, strict=True)}
    inner = catalogue.inner_products()
    del catalogue
    ways: dict[str, Way] = {
        "ours": lambda z: index.nearest(z, K)[0],
        "inside": lambda z: index.nearest(z, K, cluster=of[z.tobytes()])[0],
        "faiss inner product": lambda z: inner.search(as_products(z), K)[1][0],
    }
    times, _ = raced(ways, queries)
    milli = {name: 1e3 * each for name, each in times.items()}
    millions = f"{rows // 1_000_000} M"
    report.add(f"likelihood, {millions} / FAISS flat IP", milli["ours"], milli["faiss inner product"], "ms", 2.5)
    report.add(f"inside one of 30 clusters, {millions} / all", milli["inside"], milli["ours"], "ms", 15.0)
    report.add(
        f"inside one of 30 clusters, {millions} / FAISS flat IP",
        milli["inside"],
        milli["faiss inner product"],
        "ms",
        None,
    )


def file(report: Report) -> None:
    """Measure opening a million products from their file."""
    rows = 1_000_000
    catalogue = Catalogue.like_a_vae(rows)
    ids = [str(i) for i in range(rows)]
    report.heading(f"search, {rows:,} products from a file")
    scratch = Path(tempfile.mkdtemp())
    try:
        LatentIndex(ids, catalogue.mean, catalogue.std, catalogue.code, catalogue.cluster).save(
            scratch / "index", "bench"
        )
        times: list[float] = []
        for _ in range(5):
            start = time.perf_counter()
            index = LatentIndex.open(scratch / "index", "bench", ids)
            assert index is not None
            index.nearest(catalogue.code[0], K)
            times.append(time.perf_counter() - start)
    finally:
        shutil.rmtree(scratch)
    report.add("opening, and the first answer, 1 M", median(times), 0.3, "s", 1.0)


def lance_table(directory: Path, code: Floats) -> Way:
    """Return a search by distance in a LanceDB table without an index."""
    import lancedb
    import pyarrow as pa

    vector = pa.FixedSizeListArray.from_arrays(pa.array(code.ravel()), N)
    table = lancedb.connect(directory).create_table(
        "codes", pa.table({"row": pa.array(np.arange(len(code))), "vector": vector})
    )

    def nearest(z: Floats) -> NDArray[np.intp]:
        result = table.search(z).select(["row", "_distance"]).limit(K).to_arrow()
        return result.column("row").to_numpy()

    return nearest
