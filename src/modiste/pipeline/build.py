"""Build: every stage of a shop in one call, without those that are current."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from modiste.choices import Background, ClusterFeatures, ClusterMethod, Preset
from modiste.errors import ShopIncomplete, StaleError
from modiste.parallel import Executor
from modiste.pipeline.cluster import cluster_shop, resolve_clustering
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.map import make_map
from modiste.pipeline.sliders import make_sliders
from modiste.pipeline.train import train_shop, training_settings
from modiste.progress import Progress
from modiste.shop.loading import Stage
from modiste.shop.shop import Shop
from modiste.sources.record import Source

# A stage: its name, whether it is current, and the function that runs it.
Step = tuple[str, Callable[[], bool], Callable[[], object]]


def build(
    source: str | Source,
    path: str | Path,
    *,
    categories: Collection[str] | None = None,
    category_column: str | None = None,
    frame: tuple[int, int] | None = None,
    background: Background | None = None,
    preset: Preset = "default",
    latent: int = 16,
    epochs: int | None = None,
    minutes: float | None = None,
    photos: int | None = None,
    seed: int = 0,
    device: str = "auto",
    k: int | None = None,
    features: ClusterFeatures = "code",
    cluster_method: ClusterMethod | None = None,
    threads: int = 1,
    executor: Executor | None = None,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Build the shop at `path` from `source`. If it is killed, the same call continues where it stopped.

    Ingest always reads the source again, but decodes only what changed. The model, encodings, clusters, sliders and map
    are kept if they were made from the same input with the same settings. The arguments and errors are those of
    `ingest`, `train_shop`, `encode_shop`, `cluster_shop`, `make_sliders` and `make_map`.

    Returns:
        {"ingest": summary, "model": id, "done": the stages that ran, "kept": the stages that were kept}
    """
    summary = ingest(
        source,
        path,
        categories=categories,
        category_column=category_column,
        frame=frame,
        background=background,
        executor=executor,
        on_progress=on_progress,
    )
    training = training_settings(preset, latent, epochs, minutes, photos, seed)
    steps: tuple[Step, ...] = (
        (
            "train",
            lambda: _has_model(path, training, summary.catalogue_hash),
            lambda: train_shop(path, **training, device=device, resume=True, on_progress=on_progress),
        ),
        (
            "encode",
            lambda: _is_current(path, "encodings"),
            lambda: encode_shop(path, threads=threads, executor=executor, on_progress=on_progress),
        ),
        (
            "cluster",
            lambda: _has_clusters(path, k, features, cluster_method),
            lambda: cluster_shop(path, k=k, features=features, method=cluster_method, executor=executor),
        ),
        (
            "sliders",
            lambda: _is_current(path, "sliders"),
            lambda: make_sliders(path, seed=seed, threads=threads, on_progress=on_progress),
        ),
        ("map", lambda: _is_current(path, "map"), lambda: make_map(path, seed=seed, on_progress=on_progress)),
    )
    done, kept = ["ingest"], list[str]()
    for name, is_current, run in steps:
        if is_current():
            kept.append(name)
        else:
            run()
            done.append(name)
    return {"ingest": summary.to_dict(), "model": Shop.open(path).model.model_id, "done": done, "kept": kept}


def _is_current(path: str | Path, stage: Stage) -> bool:
    try:
        Shop.open(path, need=stage)
    except (ShopIncomplete, StaleError):
        return False
    return True


def _has_model(path: str | Path, training: dict[str, Any], catalogue_hash: str) -> bool:
    if not _is_current(path, "model"):
        return False
    shop = Shop.open(path, need="model")
    return shop.manifest.training == training and shop.model.catalogue_hash == catalogue_hash


def _has_clusters(path: str | Path, k: int | None, features: ClusterFeatures, method: ClusterMethod | None) -> bool:
    if not _is_current(path, "clusters"):
        return False
    shop = Shop.open(path)
    count, by = resolve_clustering(shop, k, method)
    return {"k": count, "on": features, "method": by}.items() <= shop.manifest.clusters.items()
