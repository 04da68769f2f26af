"""The options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from modiste.errors import BadOption

if TYPE_CHECKING:
    from modiste.parallel import Executor

ShopPath = Annotated[
    str, typer.Option("--shop", metavar="DIR|URL", help="The shop: its directory, or s3://… or gs://… where it is.")
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
SourceName = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A Kaggle folder (styles.csv + images/), a folder per category, a CSV, JSONL or Parquet table, "
        "hf:owner/name, kaggle:owner/name, or `sample`.",
    ),
]
Categories = Annotated[
    str, typer.Option(metavar="NAMES|all", help="Only these categories, separated by commas; or all.")
]
CategoryColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="The source's column that holds the category.")
]
Size = Annotated[
    str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Size of the shop's photos in pixels. [default: 180x240]")
]
Background = Annotated[
    str | None, typer.Option(metavar="any|white", help="white rejects photos on another background.")
]
Preset = Annotated[str, typer.Option(metavar="default|paper", help="Which network and loss to train.")]
Latent = Annotated[int, typer.Option(metavar="N", help="How many numbers make a code.")]
Epochs = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="How many times to go through the photos: 2 or more, or 1 or more with --preset paper."
    ),
]
Minutes = Annotated[float | None, typer.Option(metavar="M", help="Train for about so long, instead of --epochs.")]
Photos = Annotated[
    int | None,
    typer.Option(metavar="N", help="Learn from so many products at most, drawn by their ids; 32,000 if left out."),
]
Seed = Annotated[int, typer.Option(metavar="S", help="Of every random choice.")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to train.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
ClusterCount = Annotated[
    int | None, typer.Option("--k", "-k", metavar="K", help="How many clusters; 3, or as many as there are categories.")
]
Features = Annotated[str, typer.Option(metavar="code|mean", help="What of each product is clustered.")]
CLUSTER_METHODS = "kmeans|mixture|category"
CLUSTER_METHOD_HELP = (
    "K-means++, the paper's; Gaussians merged down to K; or the shop's own categories, the default where it has them."
)
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local",
        help="Spread the work over a Ray cluster: HOST:PORT of its head, auto on one of its machines, or local to "
        "start one here. Needs the extra scale.",
    ),
]
Threads = Annotated[int, typer.Option(metavar="T", help="Threads that the model runs on.", min=1)]


def parse_size(text: str | None) -> tuple[int, int] | None:
    """(height, width) of "180x240", which is written width first. Raises BadOption."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text.strip().lower())
    if found is None:
        raise BadOption(f"The size {text!r} is not WIDTHxHEIGHT.", remedy="Write it as 180x240.")
    return int(found[2]), int(found[1])


def parse_categories(text: str) -> list[str] | None:
    """The categories in "footwear,bags"; None for "all". Raises BadOption."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BadOption("No category was given.", remedy="Write --categories footwear,bags, or all.")
    return None if names == ["all"] else names


@contextmanager
def open_executor(address: str | None) -> Generator[Executor | None]:
    """The workers of a cluster; None without an address. Raises MissingExtra, BadOption, RayClusterError."""
    if address is None:
        yield None
        return
    from modiste.distributed.ray_executor import ray_executor

    with ray_executor(address) as fleet:
        yield fleet
