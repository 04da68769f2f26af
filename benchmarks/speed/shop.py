"""The benchmark's shop: sample products, as many as the paper has photos of bags, eyewear and footwear."""

from __future__ import annotations

from pathlib import Path

from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.train import train_shop
from modiste.sources.sample import SampleSource

PRODUCTS = 11_229
CLUSTERS = 4


def bench_shop(root: Path) -> Path:
    """Return the shop at `root`. If it is missing, it is built in some minutes, with as little training as possible."""
    if not (root / "made").exists():
        print(f"building {root} once: {PRODUCTS:,} sample products", flush=True)
        ingest(SampleSource(count=PRODUCTS), root)
        train_shop(root, minutes=0.2, seed=0, resume=True)
        encode_shop(root, threads=2)
        cluster_shop(root, k=CLUSTERS)
        (root / "made").touch()
    return root
