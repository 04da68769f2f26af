"""An evaluation's figures as rows of text, once for the terminal and the report alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modiste.evaluate.metrics import CLASS_SCORES

SCOPES = ("catalogue", "cluster", "unsupervised")
CLUSTERING_LABELS = {
    "code": "K-means on codes (the paper's Table 1)",
    "mean": "K-means on means (the paper's Table 2)",
    "mixture": "Merged Gaussian mixture on codes",
    "shop": "The shop's own clusters",
}
# With their names in the JSON, so that a reader of the one finds them in the other.
RECOMMENDER_LABELS = {
    "transport": "by transport, hubs held back",
    "shift": "by the shift of centres (the paper’s Eq. 3, mended)",
    "printed": "by Eq. 3 as printed",
    "unshifted": "without any shift",
    "random": "at random from the other clusters",
}
DISENTANGLEMENT_ROWS = ("latents", "directions")
BASELINE_LABELS = {"pca": "PCA (pca)", "histogram": "RGB histogram (histogram)", "random": "chance (random)"}
PAPER_LABEL = "paper"


@dataclass(frozen=True)
class ResultTable:
    """One table: the first column names the row. `note` says how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def result_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    """The tables of a result of `evaluate`, the paper's figures and the baselines beside it."""
    yield from _cluster_tables(result)
    yield from _retrieval_tables(result)
    yield from _attribute_tables(result)
    yield from _recommendation_tables(result)
    yield _reconstruction_table(result)
    yield from _independence_tables(result)


def format_figure(value: Any, between: Any = None, digits: int = 3) -> str:
    """A figure with its interval as text; an en dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:.{digits}f}"
    return text if between is None else f"{text} [{between[0]:.{digits}f}, {between[1]:.{digits}f}]"


def value_at(tree: Any, *path: str) -> Any:
    """What lies at a path of keys; None where it does not go that far."""
    for key in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def _cluster_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    for kind, title in CLUSTERING_LABELS.items():
        here = value_at(result, "clusters", kind)
        if here is None:
            continue
        between = value_at(result, "intervals", "clusters", kind)
        rows: list[tuple[str, ...]] = []
        for category, scores in here["per_class"].items():
            rows.append(
                (
                    category,
                    *(format_figure(scores[s], value_at(between, "per_class", category, s)) for s in CLASS_SCORES),
                )
            )
            if (theirs := value_at(result, "paper", "clusters", kind, "per_class", category)) is not None:
                rows.append((f"  {PAPER_LABEL}", *(format_figure(theirs[score]) for score in CLASS_SCORES)))
        macros = [("macro-F1", here["macro_f1"], value_at(between, "macro_f1"))]
        macros.append((f"  {PAPER_LABEL}", value_at(result, "paper", "clusters", kind, "macro_f1"), None))
        for name, words in BASELINE_LABELS.items():
            macros.append(
                (
                    f"  {words}",
                    value_at(result, "baselines", name, "clusters", kind, "macro_f1"),
                    value_at(result, "intervals", "baselines", name, "clusters", kind, "macro_f1"),
                )
            )
        rows += [(name, "", "", "", format_figure(value, found)) for name, value, found in macros if value is not None]
        yield ResultTable(
            f"Clusters: {title}", ("class", *CLASS_SCORES), rows, "Accuracy is of the class against the rest."
        )


def _method_values(result: dict[str, Any], *path: str) -> Iterator[tuple[str, Any, Any]]:
    """Name, figures and intervals of every method under a path: the shop's, the paper's, the baselines'."""
    between = result["intervals"]
    for method, here in (value_at(result, *path) or {}).items():
        yield method, here, value_at(between, *path, method)
        if (theirs := value_at(result, "paper", *path, method)) is not None:
            yield f"  {PAPER_LABEL}", theirs, None
    for name, words in BASELINE_LABELS.items():
        for method, here in (value_at(result, "baselines", name, *path) or {}).items():
            yield words, here, value_at(between, "baselines", name, *path, method)


def _retrieval_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    for scope in SCOPES:
        depths = ("10", "25", "50", "500")
        rows = [
            (name, *(format_figure(here[depth], value_at(between, depth)) for depth in depths))
            for name, here, between in _method_values(result, "retrieval", scope)
        ]
        note = "A product is relevant if it has the query's category. The query itself is left out."
        yield ResultTable(
            f"Similar products, {scope} scope (Table 3)", ("method", *(f"mAP@{d}" for d in depths)), rows, note
        )


def _attribute_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    columns = list(value_at(result, "attributes") or {})
    if not columns:
        return
    by_name: dict[str, list[str]] = {}
    for column in columns:
        for name, value, between in _method_values(result, "attributes", column):
            by_name.setdefault(name, []).append(format_figure(value, between))
    rows = [(name, *figures) for name, figures in by_name.items()]
    yield ResultTable(
        "Finer relevance", ("method", *columns), rows, "The mean share of the top 10 that agree with the query."
    )


def _recommendation_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
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
            RECOMMENDER_LABELS.get(name, name),
            *(format_figure(here.get(key), value_at(between, key), 1 if key == "ciede2000" else 3) for key in columns),
        )
        for name, here, between in _method_values(result, "recommendations")
    ]
    note = (
        "The share of recommended products with the query's base colour, beside drawing from the same clusters by "
        "chance, and with its gender and usage; ΔE00, how far the foregrounds' colours differ (CIEDE2000); the largest "
        "share of one product, and how many different products were recommended."
    )
    yield ResultTable("Recommendations from the other clusters", ("method", *columns.values()), rows, note)


def _reconstruction_table(result: dict[str, Any]) -> ResultTable:
    of = "unseen photos" if result["source"] else "photos held out of the training"
    rows: list[tuple[str, ...]] = []
    for name, *path in (("model",), ("PCA", "baselines", "pca")):
        here = value_at(result, *path, "reconstruction") or {}
        between = value_at(result, "intervals", *path, "reconstruction")
        rows.append(
            (
                name,
                format_figure(here.get("psnr"), value_at(between, "psnr"), 2),
                format_figure(here.get("mse"), value_at(between, "mse"), 5),
                format_figure(here.get("sharpness"), value_at(between, "sharpness")),
                format_figure(here.get("mosaic")),
            )
        )
    note = (
        f"Mean over {result['reconstructed']:,} {of}, at the full frame; the squared error of colours from 0 to 1. "
        "Sharpness: the Laplacian's variance over the photos'. Mosaic: steps at the edges of blocks over steps in all; "
        "1 is none."
    )
    return ResultTable("Reconstruction", ("by", "PSNR, dB", "MSE", "sharpness", "mosaic"), rows, note)


def _independence_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    here = value_at(result, "latents")
    if here is None:
        return
    columns = ("dci_disentanglement", "dci_completeness", "mig", "sap")
    rows = [
        (name, *(format_figure(value_at(here, "disentanglement", name, key)) for key in columns))
        for name in DISENTANGLEMENT_ROWS
        if value_at(here, "disentanglement", name) is not None
    ]
    note = (
        f"Total correlation {format_figure(here['total_correlation'])} nats, mean information of two latents "
        f"{format_figure(here['pairwise_information'])} nats, {here['active']} latents in use. "
        f"How well latents and attribute "
        "directions are told apart, by the catalogue's attributes and by what each is named for: 1 is one each."
    )
    yield ResultTable("Independence", ("of", "DCI disentanglement", "completeness", "MIG", "SAP"), rows, note)
