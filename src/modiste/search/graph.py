"""Graph: the nearest products by likelihood, not exactly but from few of them, for catalogues beyond ten million."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount, BadOption, MissingExtra, SchemaError
from modiste.latent.posterior import check_code, check_tau, log_likelihood
from modiste.search.mapped import UNREADABLE, open_arrays, save_arrays

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]

VERSION, LABEL = 2, "graph.json"
LINKS = 16  # of a product in the upper layers; 32 in the lowest, which is all that is kept
WIDTH = 100  # candidates while the graph is built
BEAM = 400  # best products whose neighbours a walk looks at, beside k
ENTRIES = 512  # products where each walk begins
STEP = 10_000  # products added at once
STEEPNESS = (
    3.0  # how much log σ counts against means over the geometric mean of σ: measured, see docs/performance.md
)
MEMBERS = ("products", "neighbours", "std", "entries")


@dataclass(frozen=True, eq=False)
class Graph:
    """`N` products, each with some neighbours: most walks from one to the next end at the nearest of all.

    `products` `(N, 2n + 1)` are mean, 1/(2(σ² + τ²)) and the constant of Eq. 2; `neighbours` `(N, 2 · LINKS)` rows, −1
    for none; `std` `(N, n)`; `entries` the rows where walks begin. `recall` is the share of the true nearest 10 that
    were found when it was built, None before that was measured.
    """

    products: Floats
    neighbours: NDArray[np.int32]
    std: Floats
    entries: NDArray[np.int32]
    tau: float
    recall: float | None = None

    @classmethod
    def build(
        cls,
        mean: Floats,
        std: Floats,
        *,
        tau: float = 0.0,
        seed: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Graph:
        """Link products, mean and std `(N, n)`, so that those of like posteriors are neighbours.

        What is near by likelihood is near in the space of [mean / geometric mean of σ, 3 log σ], by Euclidean
        distance; FAISS's HNSW (Malkov and Yashunin 2018) links them there. On the likelihood's own inner product it
        would not work: its neighbourhoods are no neighbourhoods.

        Raises:
            MissingExtra: FAISS is not installed.
            BadOption: tau is negative or not finite, or there is no product.
        """
        try:
            import faiss
        except ImportError:
            raise MissingExtra(
                "To build a graph needs FAISS.", remedy="Install it: pip install 'modiste[graph]'."
            ) from None
        if len(mean) == 0:
            raise BadOption("There is no product to link.", remedy="Give at least one.")
        variance = np.square(std.astype(np.float64)) + check_tau(tau) ** 2
        spread = np.sqrt(variance)
        typical = np.exp(np.log(spread).mean(axis=1, keepdims=True))
        points = np.concatenate([mean / typical, STEEPNESS * np.log(spread)], axis=1).astype(np.float32)
        made: Any = faiss.IndexHNSWFlat(points.shape[1], LINKS)
        made.hnsw.efConstruction = WIDTH
        for start in range(0, len(points), STEP):
            made.add(points[start : start + STEP])
            if on_progress is not None:
                on_progress(min(start + STEP, len(points)), len(points))
        linked = faiss.vector_to_array(made.hnsw.neighbors)
        offsets = faiss.vector_to_array(made.hnsw.offsets)[:-1].astype(np.intp)
        neighbours = linked[offsets[:, None] + np.arange(2 * LINKS)].astype(np.int32)
        constant = -0.5 * np.log(2.0 * np.pi * variance).sum(axis=1, keepdims=True)
        products = np.concatenate([mean, 0.5 / variance, constant], axis=1).astype(np.float32)
        random = np.random.default_rng(seed)
        entries = random.choice(len(mean), min(ENTRIES, len(mean)), replace=False).astype(np.int32)
        return cls(products, neighbours, np.asarray(std, np.float32), np.sort(entries), tau)

    def __len__(self) -> int:
        return len(self.products)

    @property
    def mean(self) -> Floats:
        """The means, `(N, n)`."""
        return self.products[:, : self.std.shape[1]]

    def nearest(self, code: ArrayLike, k: int, *, beam: int = BEAM) -> tuple[Rows, NDArray[np.float64]]:
        """The `k` products most likely to have a code `(n,)`, best first, nearly always: rows and scores `(≤ k,)`.

        Whatever is returned has its true log likelihood, in float64; what may be missing is a nearer one.

        Raises:
            BadCode: wrong length, or not finite.
            BadCount: k below 1 or over `N`.
        """
        from modiste.search.walking import walk

        checked = check_code(code, self.std.shape[1])
        if not 1 <= k <= len(self):
            raise BadCount(f"k is {k}; there are {len(self)}.", remedy=f"Give a k from 1 to {len(self)}.")
        rows, values = np.empty(k + beam, np.int32), np.empty(k + beam, np.float32)
        walk(self.products, self.neighbours, self.entries, checked, rows, values)
        met = rows[rows >= 0].astype(np.intp)
        scores = log_likelihood(checked, self.mean[met], self.std[met], self.tau)
        order = np.lexsort((met, -scores))[:k]
        return met[order], scores[order]

    def save(self, directory: Path, made_from: str) -> None:
        """Write it to `directory`, whole or not at all, as what was made of `made_from`. Raises OSError."""
        about = {"version": VERSION, "made_from": made_from, "tau": self.tau, "recall": self.recall}
        save_arrays(directory, LABEL, about, {name: getattr(self, name) for name in MEMBERS})

    @classmethod
    def open(cls, directory: Path, made_from: str) -> Graph | None:
        """The graph in `directory`, mapped; None where there is none, or it is damaged or of something else."""
        try:
            wanted = {"version": VERSION, "made_from": made_from}
            said, arrays = open_arrays(directory, LABEL, wanted, MEMBERS)
            found = cls(**arrays, tau=said["tau"], recall=said["recall"])
            found.check()
        except (*UNREADABLE, SchemaError):
            return None
        return found

    def check(self) -> None:
        """Raise SchemaError where the arrays do not go together: the kernel trusts their shapes and rows."""
        count, n = self.std.shape
        wanted = {
            "products": (np.float32, (count, 2 * n + 1)),
            "neighbours": (np.int32, (count, 2 * LINKS)),
            "std": (np.float32, (count, n)),
            "entries": (np.int32, (min(ENTRIES, count),)),
        }
        wrong = [
            name
            for name, (kind, shape) in wanted.items()
            if (getattr(self, name).dtype, getattr(self, name).shape) != (kind, shape)
        ]
        lowest, highest = self.entries.min(initial=0), self.entries.max(initial=-1)
        if not wrong and (lowest < 0 or highest >= count or self.neighbours.max(initial=-1) >= count):
            wrong.append("rows")
        if wrong or not isinstance(self.tau, float):
            raise SchemaError(
                f"The graph is damaged: {wrong}.", remedy="Build it anew: modiste index --graph."
            )
