"""Compare the quality of Modiste's codes with alternatives, on photos that no method has seen.

    make bench-quality PHOTOS=path/to/fashion-product-images
    python benchmarks/quality SOURCE [--seeds 0 1 2] [--minutes 5] [--asking 170] [--only NAME …]

    python benchmarks/quality SOURCE --ablate [--epochs 3] [--seeds 0]

Each seed splits the catalogue again: `--asking` products of each category are queries, and the others are searched.
Near-duplicates are on the same side. All methods have the same photos, queries and machine. Trained methods have the
same `--minutes`, Modiste too; in addition, Modiste is measured as `modiste build` makes it. The measurements of each
method and seed are cached under `.cache/quality`, so an interrupted run continues. Prints one table: means over seeds
and queries with 95 % bootstrap intervals. For a figure of all queries together, it prints the minimum and maximum of
the seeds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import trained_models
from numpy.typing import NDArray
from page import read_evaluations, write_page
from rivals import FIXED, IMAGENET, fixed
from split import split

import modiste.vae
from modiste.evaluate import baselines, evaluate
from modiste.evaluate.baselines import evaluate_distance
from modiste.evaluate.bootstrap import Bootstrap
from modiste.evaluate.cluster_agreement import score_clusters
from modiste.evaluate.disentanglement import pairwise_information, total_correlation
from modiste.evaluate.queries import QuerySet, queries_from_source
from modiste.evaluate.reconstruction import GradientSums, laplacian_variance, psnr, squared_error
from modiste.evaluate.relevance import ForegroundColours, RelevanceScorer
from modiste.latent.category_clusters import fit_categories
from modiste.latent.clusters import fit_kmeans, fit_mixture
from modiste.pipeline.build import build
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.train import train_shop
from modiste.shop.shop import Shop

Photos = NDArray[np.uint8]
Floats = NDArray[np.float32]

OURS, SHORT, PAPER = "Modiste", "Modiste, the same minutes", "the paper's network and loss"
COMPONENTS = {"PCA-16": 16, "PCA-64": 64}
DRAWN = 600  # questions whose photos are drawn, to measure the drawing
WIDE = 64  # numbers: more are not clustered by mixtures


@cache
def recipe() -> str:
    """Return a hash of the code that trains: cached figures of other code are not valid."""
    folder = Path(modiste.vae.__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.parent.glob("latent/*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class Bench:
    """One seed's split, and the queries that every method gets."""

    def __init__(self, source: str, cache: Path, seed: int, asking: int, minutes: float, epochs: int) -> None:
        self.catalogue, self.queries = split(source, cache, seed, asking)
        self.cache, self.seed, self.asking = cache, seed, asking
        self.minutes, self.epochs = minutes, epochs

    def key(self, name: str) -> str:
        """Return the cache key of a method's figures: name, budget, and the code and settings of our training."""
        timed = self.minutes if name in (SHORT, PAPER, *trained_models.NAMES) else None
        long = self.epochs if name in trained_models.VARIED else None
        return hashlib.sha256(json.dumps([name, timed, long, recipe()]).encode()).hexdigest()[:10]

    def build(self, name: str) -> Shop:
        """Return a shop of the catalogue by one of our presets, built once: ours completely, others up to `cluster`."""
        path = self.cache / f"shop-{self.seed}-{self.key(name)}"
        if name == OURS:
            build(str(self.catalogue), path, seed=self.seed, threads=2)
        elif not (path / "made").exists():
            preset = "paper" if name == PAPER else "default"
            ingest(str(self.catalogue), path)
            train_shop(path, preset=preset, minutes=self.minutes, seed=self.seed, resume=True)
            encode_shop(path, threads=2)
            cluster_shop(path)
            (path / "made").touch()
        return Shop.open(path, threads=2)

    def reference(self) -> Shop:
        """Return the shop whose catalogue and queries the other methods use."""
        return self.build(OURS)


def photos_of(shop: Shop) -> Iterator[Photos]:
    """Yield the photos of the whole catalogue in batches."""
    return baselines.iter_shop_photos(shop, shop.catalogue.ids)


def measure(bench: Bench, name: str) -> dict[str, Any]:
    """Return all figures of one method and seed: values per query by measure, and single figures ("alone:…")."""
    if name in (OURS, SHORT, PAPER):
        return ours(bench, name)
    shop = bench.reference()
    questions = queries_from_source(shop, str(bench.queries), bench.asking, 0)
    photos = baselines.decode_jpegs(questions.jpegs or [])
    began = time.monotonic()
    draw = None
    if name in COMPONENTS:
        ids = shop.catalogue.ids
        some = np.random.default_rng(bench.seed).choice(len(ids), min(3000, len(ids)), replace=False)
        fitted = np.concatenate(list(baselines.iter_shop_photos(shop, [ids[row] for row in np.sort(some)])))
        components = baselines.fit_pca(fitted, COMPONENTS[name], bench.seed)
        encode, draw = components.project, lambda codes: components.reconstruct(codes, shop.frame)
    elif name in trained_models.NAMES:
        model = trained_models.train(name, photos_of(shop), shop.frame, shop.model.latent, bench.minutes, bench.seed)
        encode, draw = model.encode, model.decode
    elif name in trained_models.VARIED:
        model = trained_models.vary(name, shop, bench.cache / f"varied-{bench.seed}", bench.epochs, bench.seed)
        encode, draw = model.encode, model.decode
    else:
        encode = fixed(name)
    product_codes = np.concatenate([encode(part) for part in photos_of(shop)])
    codes = np.concatenate([encode(photos[i : i + 64]) for i in range(0, len(photos), 64)])
    figures = searched(shop, questions, product_codes, codes, photos, bench.seed)
    if draw is not None:
        drawn = np.concatenate([draw(codes[i : i + 64]) for i in range(0, min(DRAWN, len(codes)), 64)])
        figures |= pictured(photos[: len(drawn)], drawn, shop.frame)
    return figures | {"alone:numbers": product_codes.shape[1], "alone:seconds": time.monotonic() - began}


def ours(bench: Bench, name: str) -> dict[str, Any]:
    """Return a shop's figures, as `modiste evaluate --queries` measures them."""
    began = time.monotonic()
    shop = bench.build(name)
    seconds = time.monotonic() - began
    if name == OURS:
        full = evaluate(shop, queries=str(bench.queries), per_category=bench.asking, seed=0)
        (bench.cache / f"evaluation-{bench.seed}.json").write_text(json.dumps(full))
    questions = queries_from_source(shop, str(bench.queries), bench.asking, 0)
    photos = baselines.decode_jpegs(questions.jpegs or [])
    figures = searched(shop, questions, shop.encodings.mean, questions.posterior.mean, photos, bench.seed)
    drawn = shop.decode(questions.posterior.mean[:DRAWN])
    figures |= pictured(photos[: len(drawn)], drawn, shop.frame)
    trained_for = float(shop.model.training.get("seconds", seconds))
    return figures | {"alone:numbers": shop.model.latent, "alone:seconds": trained_for}


def searched(
    shop: Shop, questions: QuerySet, product_codes: Floats, query_codes: Floats, photos: Photos, seed: int
) -> dict[str, Any]:
    """Return the figures of codes by Euclidean distance: `(N, m)` of the catalogue and `(b, m)` of the queries."""
    colours = np.concatenate([baselines.foreground_colours(part) for part in photos_of(shop)])
    scorer = RelevanceScorer(shop, questions, ForegroundColours(colours, baselines.foreground_colours(photos)))
    tags, count = shop.catalogue.categories, len(shop.catalogue.counts())
    narrow = product_codes.shape[1] <= WIDE
    clusters = fit_categories(product_codes, tags, seed) if narrow else fit_kmeans(product_codes, count, seed)
    tree, diversities = evaluate_distance(shop, questions, scorer, product_codes, query_codes, clusters)
    figures: dict[str, Any] = {f"{name}": values["euclidean"] for name, values in tree["attributes"].items()}
    for depth, values in tree["retrieval"]["catalogue"]["euclidean"].items():
        figures[f"mAP@{depth}"] = values
    if narrow:
        recommendations = tree["recommendations"]["euclidean"]
        for key in ("base_colour", "chance", "ciede2000"):
            figures[f"goes with it: {key}"] = recommendations[key]
        figures["alone:goes with it: largest share"] = diversities["recommendations"]["euclidean"]["largest_share"]
        figures["alone:total correlation"] = total_correlation(product_codes)
        figures["alone:pairwise information"] = pairwise_information(product_codes[:, :16])
        mixture = fit_mixture(product_codes, count, seed)
        figures["alone:clusters, mixture"] = score_clusters(tags, mixture.assign(product_codes), Bootstrap())[0][
            "macro_f1"
        ]
    kmeans = fit_kmeans(product_codes, count, seed)
    figures["alone:clusters, K-means"] = score_clusters(tags, kmeans.assign(product_codes), Bootstrap())[0]["macro_f1"]
    return figures


def pictured(photos: Photos, drawn: Photos, frame: tuple[int, int]) -> dict[str, Any]:
    """Return the figures of reconstructions `(b, H, W, 3)` of photos."""
    steps = GradientSums(frame)
    steps.add(drawn)
    return {
        "PSNR, dB": psnr(squared_error(photos, drawn)),
        "sharpness": laplacian_variance(drawn) / laplacian_variance(photos).mean(),
        "alone:mosaic": steps.mosaic(),
    }


def kept(bench: Bench, name: str) -> dict[str, Any]:
    """Return the measurements of a method, from the cache or measured now."""
    file = bench.cache / f"measured-{bench.seed}-{bench.key(name)}.npz"
    if not file.is_file():
        print(f"seed {bench.seed}: {name}", flush=True)
        figures = measure(bench, name)
        with file.with_suffix(".writing").open("wb") as out:
            np.savez(out, **{k: np.asarray(v, np.float64) for k, v in figures.items() if v is not None})
        shutil.move(file.with_suffix(".writing"), file)
    with np.load(file, allow_pickle=False) as arrays:
        return {k: arrays[k] for k in arrays.files}


def table(measured: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return, by method and measure, [mean, low, high] over the queries of all seeds; single figures over the seeds."""
    bootstrap = Bootstrap()
    rows: dict[str, dict[str, Any]] = {}
    for name, seeds in measured.items():
        row: dict[str, Any] = {"seeds": len(seeds)}
        for key in seeds[0]:
            values = [each[key] for each in seeds]
            if key.startswith("alone:"):
                flat = np.array(values, np.float64)
                row[key.removeprefix("alone:")] = [float(flat.mean()), float(flat.min()), float(flat.max())]
            else:
                flat = np.concatenate(values)
                between = bootstrap.intervals(flat)
                row[key] = None if between is None else [float(np.nanmean(flat)), *between]
        rows[name] = row
    return rows


def markdown(rows: dict[str, dict[str, Any]]) -> str:
    """Return the table: one row for each measure, one column for each method."""
    keys = list(dict.fromkeys(key for row in rows.values() for key in row if key != "seeds"))
    lines = ["| | " + " | ".join(rows) + " |", "|---" * (len(rows) + 1) + "|"]
    lines.append("| seeds | " + " | ".join(str(row["seeds"]) for row in rows.values()) + " |")
    lines += [f"| {key} | " + " | ".join(cell(row.get(key), key) for row in rows.values()) + " |" for key in keys]
    return "\n".join(lines)


def cell(value: list[float] | None, key: str) -> str:
    """Return one figure with its interval."""
    if value is None:
        return "–"
    digits = 0 if key in ("numbers", "seconds") else 2 if key in ("PSNR, dB", "goes with it: ciede2000") else 3
    mean, low, high = (f"{each:,.{digits}f}" for each in value)
    return mean if low == high else f"{mean} [{low}, {high}]"


def main() -> None:
    """Measure the chosen methods, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a source of photos with article_type and base_colour")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--ablate", action="store_true", help="our objective without each of its parts, instead")
    parser.add_argument("--epochs", type=int, default=3, help="of --ablate")
    parser.add_argument("--asking", type=int, default=170)
    parser.add_argument("--only", nargs="+", default=None)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--page", type=Path, default=None, help="write the tables into this page")
    args = parser.parse_args()
    names = [OURS, SHORT, PAPER, *COMPONENTS, *FIXED, IMAGENET, *trained_models.NAMES]
    if args.ablate:
        names = list(trained_models.VARIED)
    chosen = [name for name in names if args.only is None or name in args.only]
    folder = Path(".cache/quality") / hashlib.sha256(f"{args.source} {args.asking}".encode()).hexdigest()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    measured: dict[str, list[dict[str, Any]]] = {}
    for seed in args.seeds:
        bench = Bench(args.source, folder, seed, args.asking, args.minutes, args.epochs)
        for name in chosen:
            measured.setdefault(name, []).append(kept(bench, name))
    rows = table({name: measured[name] for name in names if name in measured})
    print(markdown(rows))
    if args.out is not None:
        args.out.write_text(json.dumps(rows, indent=1) + "\n")
    if args.page is not None:
        write_page(args.page, rows, read_evaluations(folder, args.seeds))


if __name__ == "__main__":
    main()
