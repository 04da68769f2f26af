"""Options that several commands share, alone or in groups, and the parsers of their values."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from modiste import choices
from modiste.errors import BadOption

if TYPE_CHECKING:
    from modiste.parallel import Executor


def check_suffix(path: Path | None) -> Path | None:
    """Return the path of an image to write. Raises BadOption if its suffix is not that of a supported format."""
    if path is not None:
        from modiste.shop.contact_sheets import check_image_suffix

        check_image_suffix(path)
    return path


ShopPath = Annotated[str, Option("--shop", metavar="DIR|URL", help="The shop: a directory, or an s3:// or gs:// URL.")]
JsonOutput = Annotated[bool, Option("--json", help="Print only JSON on standard output.")]
SourceName = Annotated[
    str,
    Argument(
        metavar="SOURCE",
        help="A Kaggle folder (styles.csv + images/), a folder per category, a CSV, JSONL or Parquet table, "
        "hf:owner/name, kaggle:owner/name, or `sample`.",
    ),
]
Minutes = Annotated[float | None, Option(metavar="M", help="Approximate training time; replaces --epochs.")]
Seed = Annotated[int, Option(metavar="S", help="Random seed.")]
Threads = Annotated[int, Option(metavar="T", help="Threads that run the model.", min=1)]
ClusterCount = Annotated[
    int | None,
    Option("--k", "-k", metavar="K", help="Number of clusters.", show_default="number of categories; 3 without them"),
]
Features = Annotated[choices.ClusterFeatures, Option(help="Features to cluster: sampled codes or posterior means.")]
ClusterMethod = Annotated[
    choices.ClusterMethod | None,
    Option(
        help="K-means++ (the paper's), a Gaussian mixture merged to K clusters, or the shop's own categories.",
        show_default="category; mixture without categories",
    ),
]
RayAddress = Annotated[
    str | None,
    Option(
        metavar="ADDRESS|local",
        help="Ray cluster to spread the work over: HOST:PORT of its head, auto on one of its machines, or local to "
        "start Ray on this machine. Needs the extra `scale`.",
    ),
]
Sheet = Annotated[Path | None, Option(metavar="FILE.png", callback=check_suffix, help="Also draw a contact sheet.")]
Host = Annotated[
    str | None, Option(metavar="HOST", help="Address to listen on; 0.0.0.0 for all.", show_default="127.0.0.1")
]
Port = Annotated[
    int | None,
    Option(metavar="PORT", help="Port to listen on; 0 takes a free one.", show_default="8000", min=0, max=65535),
]


@dataclass(frozen=True)
class CatalogueOptions:
    """Options of the ingest stage."""

    categories: Annotated[str, Option(metavar="NAMES|all", help="Categories to ingest, separated by commas.")] = "all"
    category_column: Annotated[
        str | None, Option(metavar="NAME", help="Column of the source that holds the category.")
    ] = None
    size: Annotated[
        str | None, Option(metavar="WIDTHxHEIGHT", help="Photo size in pixels.", show_default="180x240")
    ] = None
    background: Annotated[
        choices.Background | None, Option(help="Photos to accept: any, or only those on white.", show_default="any")
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the ingest stage. Raises BadOption."""
        return {
            "categories": parse_categories(self.categories),
            "category_column": self.category_column,
            "frame": parse_size(self.size),
            "background": self.background,
        }


@dataclass(frozen=True)
class TrainingOptions:
    """Options of the training stage, named as its arguments."""

    preset: Annotated[choices.Preset, Option(help="Network and loss: Modiste's default, or the paper's.")] = "default"
    latent: Annotated[int, Option(metavar="N", help="Latent dimensions of a code.")] = 16
    epochs: Annotated[
        int | None,
        Option(
            metavar="N",
            help="Passes over the photos: 2 or more, or 1 or more with --preset paper.",
            show_default="about 250,000 photos in total",
        ),
    ] = None
    minutes: Minutes = None
    photos: Annotated[
        int | None, Option(metavar="N", help="Maximum number of products to train on.", show_default="32,000")
    ] = None
    seed: Seed = 0
    device: Annotated[str, Option(metavar="auto|cpu|cuda|cuda:N", help="Device to train on.")] = "auto"


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Return (height, width) of a size such as "180x240", which has the width first. Raises BadOption."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text.strip().lower())
    if match is None:
        raise BadOption(f"The size {text!r} is not WIDTHxHEIGHT.", remedy="Write it as 180x240.")
    return int(match[2]), int(match[1])


def parse_categories(text: str) -> list[str] | None:
    """Return the categories in "footwear,bags", or None for "all". Raises BadOption."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BadOption("`--categories` names no category.", remedy="Write --categories footwear,bags, or all.")
    return None if names == ["all"] else names


def open_executor(address: str | None) -> AbstractContextManager[Executor | None]:
    """Return a context with the workers of a Ray cluster, see `ray_executor`; with None if there is no address."""
    if address is None:
        return nullcontext()
    from modiste.distributed.ray_executor import ray_executor

    return ray_executor(address)
