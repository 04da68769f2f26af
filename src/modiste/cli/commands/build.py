"""The commands that make a shop, and the stages of one: build, ingest, train, encode, cluster."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from modiste.cli import options
from modiste.cli.progress_bars import ProgressBars


def build(
    source: options.SourceName,
    shop: options.ShopPath,
    categories: options.Categories = "all",
    category_column: options.CategoryColumn = None,
    size: options.Size = None,
    background: options.Background = None,
    preset: options.Preset = "default",
    latent: options.Latent = 16,
    epochs: options.Epochs = None,
    minutes: options.Minutes = None,
    photos: options.Photos = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    k: options.ClusterCount = None,
    features: options.Features = "code",
    cluster_method: Annotated[
        str | None, typer.Option(metavar=options.CLUSTER_METHODS, help=options.CLUSTER_METHOD_HELP)
    ] = None,
    threads: options.Threads = 2,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Make a shop that answers: ingest, train, encode and cluster. Stopped, it goes on where it was.

    \b
    modiste build ~/fashion-product-images --shop my-shop
    modiste build products.csv --shop my-shop --categories all --minutes 15
    modiste build sample --shop demo-shop --minutes 3
    modiste build catalogue.parquet --shop s3://bucket/shop --ray 10.0.0.1:6379
    """
    from modiste.pipeline.build import build as run

    frame, wanted = options.parse_size(size), options.parse_categories(categories)
    with options.open_executor(ray) as fleet, ProgressBars(quiet=json) as bars:
        result = run(
            source,
            shop,
            categories=wanted,
            category_column=category_column,
            frame=frame,
            background=background,
            preset=preset,
            latent=latent,
            epochs=epochs,
            minutes=minutes,
            photos=photos,
            seed=seed,
            device=device,
            k=k,
            features=features,
            cluster_method=cluster_method,
            threads=threads,
            executor=fleet,
            on_progress=bars,
        )
    from modiste.cli.output import console, print_json

    if json:
        print_json(result)
        return
    _print_ingest_summary(result["ingest"])
    console().print(
        f"Model {result['model']}. Done: {', '.join(result['done'])}. Kept: {', '.join(result['kept']) or '-'}."
    )
    console().print(f"Ask it: modiste similar --shop {shop} --random --sheet similar.png", soft_wrap=True)


def ingest(
    source: options.SourceName,
    shop: options.ShopPath,
    categories: options.Categories = "all",
    category_column: options.CategoryColumn = None,
    size: options.Size = None,
    background: options.Background = None,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Bring photos and what is known of them into a shop. Again, it adds what is new and changes what changed.

    \b
    modiste ingest ~/fashion-product-images --shop my-shop --categories footwear,eyewear,bags
    modiste ingest catalogue.parquet --shop my-shop --category-column kind --background white
    modiste ingest hf:owner/name --shop my-shop --size 128x128
    modiste ingest catalogue.parquet --shop my-shop --ray local
    """
    from modiste.pipeline.ingest import ingest as run

    frame, wanted = options.parse_size(size), options.parse_categories(categories)
    with options.open_executor(ray) as fleet, ProgressBars(quiet=json) as bars:
        summary = run(
            source,
            shop,
            categories=wanted,
            category_column=category_column,
            frame=frame,
            background=background,
            executor=fleet,
            on_progress=bars,
        ).to_dict()
    from modiste.cli.output import print_json

    if json:
        print_json(summary)
    else:
        _print_ingest_summary(summary)


def train(
    shop: options.ShopPath,
    preset: options.Preset = "default",
    latent: options.Latent = 16,
    epochs: options.Epochs = None,
    minutes: options.Minutes = None,
    photos: options.Photos = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    resume: options.Resume = False,
    json: options.JsonOutput = False,
) -> None:
    """Train a model on the shop's photos. Needs `pip install 'modiste\\[train]'`.

    \b
    modiste train --shop my-shop
    modiste train --shop my-shop --minutes 20
    modiste train --shop my-shop --photos 200000 --minutes 120
    modiste train --shop my-shop --preset paper --epochs 30 --resume
    """
    from modiste.pipeline.train import train_shop

    with ProgressBars(quiet=json) as bars:
        config = train_shop(
            shop,
            preset=preset,
            latent=latent,
            epochs=epochs,
            minutes=minutes,
            photos=photos,
            seed=seed,
            device=device,
            resume=resume,
            on_progress=bars,
        )
    from modiste.cli.output import console, print_json

    if json:
        held_back = {"epsilon", "validation_ids"}
        described = {key: value for key, value in asdict(config).items() if key not in held_back}
        print_json(described | {"model": config.model_id})
        return
    figures = ", ".join(f"{name} {value:.4g}" for name, value in config.metrics.items())
    console().print(f"Model {config.model_id} trained: {figures}.\nNext: modiste encode --shop {shop}", soft_wrap=True)


def encode(
    shop: options.ShopPath,
    threads: options.Threads = 2,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Encode every product with the shop's model: mean, std and fixed-epsilon code. Stopped, it goes on where it was.

    \b
    modiste encode --shop my-shop
    modiste encode --shop s3://bucket/shop --ray 10.0.0.1:6379
    """
    from modiste.pipeline.encode import encode_shop

    with options.open_executor(ray) as fleet, ProgressBars(quiet=json) as bars:
        made = encode_shop(shop, threads=threads, executor=fleet, on_progress=bars)
    from modiste.cli.output import console, print_json

    if json:
        print_json(made)
    else:
        console().print(
            f"{made['count']} products encoded by model {made['model']}.\nNext: modiste cluster --shop {shop}"
        )


def cluster(
    shop: options.ShopPath,
    k: options.ClusterCount = None,
    features: options.Features = "code",
    method: Annotated[
        str | None, typer.Option(metavar=options.CLUSTER_METHODS, help=options.CLUSTER_METHOD_HELP)
    ] = None,
    seed: options.Seed = 0,
    ray: options.RayAddress = None,
    json: options.JsonOutput = False,
) -> None:
    """Find the shop's clusters; their centres are what recommendations go by.

    \b
    modiste cluster --shop my-shop
    modiste cluster --shop my-shop --k 4 --features mean --method kmeans
    """
    from modiste.cli.output import console, print_json
    from modiste.pipeline.cluster import cluster_shop
    from modiste.shop.shop import Shop

    with options.open_executor(ray) as fleet:
        clusters = cluster_shop(shop, k=k, features=features, method=method, seed=seed, executor=fleet)
    assignments = Shop.open(shop).assignments
    sizes = [int((assignments == number).sum()) for number in range(len(clusters.labels))]
    rows: list[dict[str, Any]] = [
        {"cluster": number, "label": label, "products": size}
        for number, (label, size) in enumerate(zip(clusters.labels, sizes, strict=True))
    ]
    if json:
        print_json({"k": len(clusters), "features": features, "method": clusters.method, "clusters": rows})
        return
    table = Table("cluster", "label", "products")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console().print(table)


def _print_ingest_summary(summary: dict[str, Any]) -> None:
    from modiste.cli.output import console

    table = Table(title=f"{summary['products']} products", title_justify="left")
    table.add_column("category")
    table.add_column("products", justify="right")
    for name, count in summary["categories"].items():
        table.add_row(name, str(count))
    console().print(table)
    console().print(
        f"{summary['added']} added, {summary['changed']} changed, {summary['unchanged']} unchanged, "
        f"{sum(summary['rejected'].values())} rejected, {sum(summary['outside'].values())} of other categories."
    )
    for reason, count in sorted(summary["rejected"].items(), key=lambda pair: -pair[1]):
        console().print(f"  {count} {reason}")
    if summary["rejected"]:
        console().print(f"Each rejected product is in {summary['rejected_file']}.", soft_wrap=True)
