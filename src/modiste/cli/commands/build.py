"""Commands that build a shop, at once or stage by stage: build, ingest, train, encode, cluster, index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from modiste.cli import options
from modiste.cli.output import make_table, print_result
from modiste.cli.progress_bars import ProgressBars

if TYPE_CHECKING:
    from rich.console import RenderableType

INTERNAL_FIELDS = {"epsilon", "validation_ids"}  # of a model's configuration, too long to print


def build(
    source: options.SourceName,
    shop: options.ShopPath,
    catalogue: options.CatalogueOptions,
    training: options.TrainingOptions,
    k: options.ClusterCount = None,
    features: options.Features = "code",
    cluster_method: options.ClusterMethod = None,
    threads: options.Threads = 2,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Build a working shop: ingest, train, encode and cluster. Run it again to resume an interrupted build.

    Examples:
      modiste build ~/fashion-product-images --shop my-shop
      modiste build products.csv --shop my-shop --categories all --minutes 15
      modiste build sample --shop demo-shop --minutes 3
      modiste build catalogue.parquet --shop s3://bucket/shop --ray 10.0.0.1:6379
    """
    from modiste.pipeline.build import build as build_shop

    with options.open_executor(ray) as executor, ProgressBars(quiet=json) as bars:
        result = build_shop(
            source,
            shop,
            **catalogue.arguments(),
            **asdict(training),
            k=k,
            features=features,
            cluster_method=cluster_method,
            threads=threads,
            executor=executor,
            on_progress=bars,
        )
    stages = f"Done: {', '.join(result['done'])}. Kept: {', '.join(result['kept']) or '-'}."
    next_step = f"Next: modiste similar --shop {shop} --random --sheet similar.png"
    print_result(
        result, *_ingest_report(result["ingest"]), f"Model {result['model']}. {stages}", next_step, as_json=json
    )


def ingest(
    source: options.SourceName,
    shop: options.ShopPath,
    catalogue: options.CatalogueOptions,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Add the products of a source to a shop. Run it again to add new products and update changed ones.

    Examples:
      modiste ingest ~/fashion-product-images --shop my-shop --categories footwear,eyewear,bags
      modiste ingest catalogue.parquet --shop my-shop --category-column kind --background white
      modiste ingest hf:owner/name --shop my-shop --size 128x128
      modiste ingest catalogue.parquet --shop my-shop --ray local
    """
    from modiste.pipeline.ingest import ingest as ingest_products

    with options.open_executor(ray) as executor, ProgressBars(quiet=json) as bars:
        summary = ingest_products(source, shop, **catalogue.arguments(), executor=executor, on_progress=bars).to_dict()
    print_result(summary, *_ingest_report(summary), as_json=json)


def train(
    shop: options.ShopPath,
    training: options.TrainingOptions,
    resume: Annotated[bool, Option("--resume", help="Continue an interrupted run.")] = False,
    json: options.JsonOutput = False,
) -> None:
    """Train a model on the shop's photos. Needs `pip install 'modiste[train]'`.

    Examples:
      modiste train --shop my-shop
      modiste train --shop my-shop --minutes 20
      modiste train --shop my-shop --photos 200000 --minutes 120
      modiste train --shop my-shop --preset paper --epochs 30 --resume
    """
    from modiste.pipeline.train import train_shop

    with ProgressBars(quiet=json) as bars:
        config = train_shop(shop, **asdict(training), resume=resume, on_progress=bars)
    result = {name: value for name, value in asdict(config).items() if name not in INTERNAL_FIELDS}
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in config.metrics.items())
    text = f"Model {config.model_id} trained: {metrics}.\nNext: modiste encode --shop {shop}"
    print_result(result | {"model": config.model_id}, text, as_json=json)


def encode(
    shop: options.ShopPath,
    threads: options.Threads = 2,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Encode every product with the shop's model. Run it again to resume an interrupted run.

    Examples:
      modiste encode --shop my-shop
      modiste encode --shop s3://bucket/shop --ray 10.0.0.1:6379
    """
    from modiste.pipeline.encode import encode_shop

    with options.open_executor(ray) as executor, ProgressBars(quiet=json) as bars:
        result = encode_shop(shop, threads=threads, executor=executor, on_progress=bars)
    text = f"{result['count']} products encoded by model {result['model']}.\nNext: modiste cluster --shop {shop}"
    print_result(result, text, as_json=json)


def cluster(
    shop: options.ShopPath,
    k: options.ClusterCount = None,
    features: options.Features = "code",
    method: options.ClusterMethod = None,
    seed: options.Seed = 0,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Cluster the products. Recommendations come from the clusters other than the query's.

    Examples:
      modiste cluster --shop my-shop
      modiste cluster --shop my-shop --k 4 --features mean --method kmeans
    """
    from modiste.pipeline.cluster import cluster_shop
    from modiste.shop.shop import Shop

    with options.open_executor(ray) as executor:
        clusters = cluster_shop(shop, k=k, features=features, method=method, seed=seed, executor=executor)
    sizes = Counter(Shop.open(shop).assignments.tolist())
    columns = ("cluster", "label", "products")
    rows = [(number, label, sizes[number]) for number, label in enumerate(clusters.labels)]
    clusters_json = [dict(zip(columns, row, strict=True)) for row in rows]
    result = {"k": len(clusters), "features": features, "method": clusters.method, "clusters": clusters_json}
    print_result(result, make_table("Clusters", columns, rows, numeric=columns[2:]), as_json=json)


def index(
    shop: options.ShopPath,
    tau: Annotated[
        float | None,
        Option(
            metavar="T",
            help="Uncertainty of a query's code in the likelihood, saved as the shop's default; "
            "0 is the paper's method.",
            show_default="unchanged",
        ),
    ] = None,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Rebuild the shop's search index, and optionally change its τ.

    `modiste cluster` also builds the index. Products are not encoded again.

    Examples:
      modiste index --shop my-shop
      modiste index --shop my-shop --tau 0.15
    """
    from modiste.pipeline.index import index_shop

    with options.open_executor(ray) as executor:
        result = index_shop(shop, tau=tau, executor=executor)
    sizes = ", ".join(f"{name} {size:.0f}" for name, size in result["bytes_per_product"].items())
    text = (
        f"{result['products']:,} products indexed, {result['products_per_second']:,.0f} per second, "
        f"with τ = {result['tau']:g}; bytes per product: {sizes}."
    )
    print_result(result, text, as_json=json)


def _ingest_report(summary: dict[str, Any]) -> Iterator[RenderableType]:
    """Yield the products by category and the counts of an ingest."""
    columns = ("category", "products")
    yield make_table(f"{summary['products']} products", columns, summary["categories"].items(), numeric=columns[1:])
    rejected = Counter[str](summary["rejected"])
    yield (
        f"{summary['added']} added, {summary['changed']} changed, {summary['unchanged']} unchanged, "
        f"{rejected.total()} rejected, {sum(summary['outside'].values())} in other categories."
    )
    for reason, count in rejected.most_common():
        yield f"  {count} {reason}"
    if rejected:
        yield f"The rejected products are listed in {summary['rejected_file']}."
