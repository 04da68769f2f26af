"""An evaluation's figures as rows of text, once for the terminal and the report alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modiste.evaluate.metrics import SCORES

SCOPES = ("catalogue", "cluster", "unsupervised")
CLUSTERINGS = {
    "code": "K-means on codes (the paper's Table 1)",
    "mean": "K-means on means (the paper's Table 2)",
    "mixture": "Merged Gaussian mixture on codes",
    "shop": "The shop's own clusters",
}
# With their names in the JSON, so that a reader of the one finds them in the other.
WAYS = {
    "transport": "by transport, hubs held back",
    "shift": "by the shift of centres (the paper’s Eq. 3, mended)",
    "printed": "by Eq. 3 as printed",
    "unshifted": "without any shift",
    "random": "at random from the other clusters",
}
TOLD = ("latents", "directions")
BASELINES = {"pca": "PCA (pca)", "histogram": "RGB histogram (histogram)", "random": "chance (random)"}
PAPER = "paper"


@dataclass(frozen=True)
class Page:
    """One table: the first column names the row. `note` says how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def pages(result: dict[str, Any]) -> Iterator[Page]:
    """The tables of a result of `evaluate`, the paper's figures and the baselines beside it."""
    yield from _clusters(result)
    yield from _retrieval(result)
    yield from _attributes(result)
    yield from _recommendations(result)
    yield _reconstruction(result)
    yield from _independence(result)


def figure(value: Any, between: Any = None, digits: int = 3) -> str:
    """A figure with its interval as text; an en dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:.{digits}f}"
    return text if between is None else f"{text} [{between[0]:.{digits}f}, {between[1]:.{digits}f}]"


def at(tree: Any, *path: str) -> Any:
    """What lies at a path of keys; None where it does not go that far."""
    for key in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def _clusters(result: dict[str, Any]) -> Iterator[Page]:
    for kind, title in CLUSTERINGS.items():
        here = at(result, "clusters", kind)
        if here is None:
            continue
        between = at(result, "intervals", "clusters", kind)
        rows: list[tuple[str, ...]] = []
        for category, scores in here["per_class"].items():
            rows.append(
                (category, *(figure(scores[s], at(between, "per_class", category, s)) for s in SCORES))
            )
            if (theirs := at(result, "paper", "clusters", kind, "per_class", category)) is not None:
                rows.append((f"  {PAPER}", *(figure(theirs[score]) for score in SCORES)))
        macros = [("macro-F1", here["macro_f1"], at(between, "macro_f1"))]
        macros.append((f"  {PAPER}", at(result, "paper", "clusters", kind, "macro_f1"), None))
        for name, words in BASELINES.items():
            macros.append(
                (
                    f"  {words}",
                    at(result, "baselines", name, "clusters", kind, "macro_f1"),
                    at(result, "intervals", "baselines", name, "clusters", kind, "macro_f1"),
                )
            )
        rows += [
            (name, "", "", "", figure(value, found)) for name, value, found in macros if value is not None
        ]
        yield Page(
            f"Clusters: {title}", ("class", *SCORES), rows, "Accuracy is of the class against the rest."
        )


def _lines(result: dict[str, Any], *path: str) -> Iterator[tuple[str, Any, Any]]:
    """Name, figures and intervals of every method under a path: the shop's, the paper's, the baselines'."""
    between = result["intervals"]
    for method, here in (at(result, *path) or {}).items():
        yield method, here, at(between, *path, method)
        if (theirs := at(result, "paper", *path, method)) is not None:
            yield f"  {PAPER}", theirs, None
    for name, words in BASELINES.items():
        for method, here in (at(result, "baselines", name, *path) or {}).items():
            yield words, here, at(between, "baselines", name, *path, method)


def _retrieval(result: dict[str, Any]) -> Iterator[Page]:
    for scope in SCOPES:
        depths = ("10", "25", "50", "500")
        rows = [
            (name, *(figure(here[depth], at(between, depth)) for depth in depths))
            for name, here, between in _lines(result, "retrieval", scope)
        ]
        note = "A product is relevant if it has the query's category. The query itself is left out."
        yield Page(
            f"Similar products, {scope} scope (Table 3)",
            ("method", *(f"mAP@{d}" for d in depths)),
            rows,
            note,
        )


def _attributes(result: dict[str, Any]) -> Iterator[Page]:
    columns = list(at(result, "attributes") or {})
    if not columns:
        return
    by_name: dict[str, list[str]] = {}
    for column in columns:
        for name, value, between in _lines(result, "attributes", column):
            by_name.setdefault(name, []).append(figure(value, between))
    rows = [(name, *figures) for name, figures in by_name.items()]
    yield Page(
        "Finer relevance",
        ("method", *columns),
        rows,
        "The mean share of the top 10 that agree with the query.",
    )


def _recommendations(result: dict[str, Any]) -> Iterator[Page]:
    columns = {
        "base_colour": "colour",
        "chance": "by chance",
        "gender": "gender",
        "usage": "usage",
        "ciede2000": "ΔE00",
        "largest_share": "largest share",
        "distinct": "distinct",
        "answers": "answers",
    }
    rows = [
        (
            WAYS.get(name, name),
            *(figure(here.get(key), at(between, key), 1 if key == "ciede2000" else 3) for key in columns),
        )
        for name, here, between in _lines(result, "recommendations")
    ]
    note = (
        "The share of recommended products with the query's base colour, beside drawing from the same clusters by "
        "chance, and with its gender and usage; ΔE00, how far the foregrounds' colours differ (CIEDE2000); the largest "
        "share of one product, and how many different products were recommended."
    )
    yield Page("Recommendations from the other clusters", ("method", *columns.values()), rows, note)


def _reconstruction(result: dict[str, Any]) -> Page:
    of = "unseen photos" if result["source"] else "photos held out of the training"
    rows: list[tuple[str, ...]] = []
    for name, *path in (("model",), ("PCA", "baselines", "pca")):
        here = at(result, *path, "reconstruction") or {}
        between = at(result, "intervals", *path, "reconstruction")
        rows.append(
            (
                name,
                figure(here.get("psnr"), at(between, "psnr"), 2),
                figure(here.get("mse"), at(between, "mse"), 5),
                figure(here.get("sharpness"), at(between, "sharpness")),
                figure(here.get("mosaic")),
            )
        )
    note = (
        f"Mean over {result['reconstructed']:,} {of}, at the full frame; the squared error of colours from 0 to 1. "
        "Sharpness: the Laplacian's variance over the photos'. Mosaic: steps at the edges of blocks over steps in all; "
        "1 is none."
    )
    return Page("Reconstruction", ("by", "PSNR, dB", "MSE", "sharpness", "mosaic"), rows, note)


def _independence(result: dict[str, Any]) -> Iterator[Page]:
    here = at(result, "latents")
    if here is None:
        return
    columns = ("dci_disentanglement", "dci_completeness", "mig", "sap")
    rows = [
        (name, *(figure(at(here, "disentanglement", name, key)) for key in columns))
        for name in TOLD
        if at(here, "disentanglement", name) is not None
    ]
    note = (
        f"Total correlation {figure(here['total_correlation'])} nats, mean information of two latents "
        f"{figure(here['pairwise_information'])} nats, {here['active']} latents in use. How well latents and attribute "
        "directions are told apart, by the catalogue's attributes and by what each is named for: 1 is one each."
    )
    yield Page("Independence", ("of", "DCI disentanglement", "completeness", "MIG", "SAP"), rows, note)
