"""The evaluation's tables as rows of text, for the terminal and the report."""

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
# The keys are the names in the JSON.
RECOMMENDER_LABELS = {
    "transport": "optimal transport, with hub penalties",
    "shift": "shift of centres (the paper’s Eq. 3, corrected)",
    "printed": "Eq. 3 as printed",
    "unshifted": "without any shift",
    "random": "random products of the other clusters",
}
DISENTANGLEMENT_ROWS = ("latents", "directions")
BASELINE_LABELS = {"pca": "PCA (pca)", "histogram": "RGB histogram (histogram)", "random": "chance (random)"}
PAPER_LABEL = "paper"


@dataclass(frozen=True)
class ResultTable:
    """A table whose first column contains the rows' names. `note` explains how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def result_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    """Yield the tables of a result of `evaluate`, with the paper's figures and the baselines."""
    yield from _cluster_tables(result)
    yield from _retrieval_tables(result)
    yield from _attribute_tables(result)
    yield from _recommendation_tables(result)
    yield _reconstruction_table(result)
    yield from _independence_tables(result)


def format_figure(value: Any, interval: Any = None, digits: int = 3) -> str:
    """Format a figure and its interval; an en dash if the figure is None."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:.{digits}f}"
    return text if interval is None else f"{text} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def value_at(tree: Any, *path: str) -> Any:
    """Return the value at a path of keys; None if a key is missing."""
    for key in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def _cluster_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    for kind, title in CLUSTERING_LABELS.items():
        clustering = value_at(result, "clusters", kind)
        if clustering is None:
            continue
        intervals = value_at(result, "intervals", "clusters", kind)
        rows: list[tuple[str, ...]] = []
        for category, scores in clustering["per_class"].items():
            rows.append(
                (
                    category,
                    *(format_figure(scores[s], value_at(intervals, "per_class", category, s)) for s in CLASS_SCORES),
                )
            )
            if (in_paper := value_at(result, "paper", "clusters", kind, "per_class", category)) is not None:
                rows.append((f"  {PAPER_LABEL}", *(format_figure(in_paper[score]) for score in CLASS_SCORES)))
        macros = [("macro-F1", clustering["macro_f1"], value_at(intervals, "macro_f1"))]
        macros.append((f"  {PAPER_LABEL}", value_at(result, "paper", "clusters", kind, "macro_f1"), None))
        for name, label in BASELINE_LABELS.items():
            macros.append(
                (
                    f"  {label}",
                    value_at(result, "baselines", name, "clusters", kind, "macro_f1"),
                    value_at(result, "intervals", "baselines", name, "clusters", kind, "macro_f1"),
                )
            )
        rows += [
            (name, "", "", "", format_figure(value, interval)) for name, value, interval in macros if value is not None
        ]
        yield ResultTable(
            f"Clusters: {title}", ("class", *CLASS_SCORES), rows, "Accuracy is that of the class against all others."
        )


def _method_values(result: dict[str, Any], *path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, figures and intervals of every method at a path: the shop's, the paper's, the baselines'."""
    intervals = result["intervals"]
    for method, figures in (value_at(result, *path) or {}).items():
        yield method, figures, value_at(intervals, *path, method)
        if (in_paper := value_at(result, "paper", *path, method)) is not None:
            yield f"  {PAPER_LABEL}", in_paper, None
    for name, label in BASELINE_LABELS.items():
        for method, figures in (value_at(result, "baselines", name, *path) or {}).items():
            yield label, figures, value_at(intervals, "baselines", name, *path, method)


def _retrieval_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    for scope in SCOPES:
        depths = ("10", "25", "50", "500")
        rows = [
            (name, *(format_figure(figures[depth], value_at(intervals, depth)) for depth in depths))
            for name, figures, intervals in _method_values(result, "retrieval", scope)
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
        for name, value, interval in _method_values(result, "attributes", column):
            by_name.setdefault(name, []).append(format_figure(value, interval))
    rows = [(name, *figures) for name, figures in by_name.items()]
    yield ResultTable(
        "Attribute agreement", ("method", *columns), rows, "The mean share of the top 10 that agree with the query."
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
            *(
                format_figure(figures.get(key), value_at(intervals, key), 1 if key == "ciede2000" else 3)
                for key in columns
            ),
        )
        for name, figures, intervals in _method_values(result, "recommendations")
    ]
    note = (
        "The share of recommended products with the query's base colour, the share that random products of the same "
        "clusters would have, and the shares with its gender and usage; ΔE00, the difference between the foregrounds' "
        "colours (CIEDE2000); the largest share of one product; the numbers of different and of all products."
    )
    yield ResultTable("Recommendations from the other clusters", ("method", *columns.values()), rows, note)


def _reconstruction_table(result: dict[str, Any]) -> ResultTable:
    kind = "unseen photos" if result["source"] else "photos held out from the training"
    rows: list[tuple[str, ...]] = []
    for name, *path in (("model",), ("PCA", "baselines", "pca")):
        figures = value_at(result, *path, "reconstruction") or {}
        intervals = value_at(result, "intervals", *path, "reconstruction")
        rows.append(
            (
                name,
                format_figure(figures.get("psnr"), value_at(intervals, "psnr"), 2),
                format_figure(figures.get("mse"), value_at(intervals, "mse"), 5),
                format_figure(figures.get("sharpness"), value_at(intervals, "sharpness")),
                format_figure(figures.get("mosaic")),
            )
        )
    note = (
        f"Mean over {result['reconstructed']:,} {kind}, at the full frame; the squared error of colours from 0 to 1. "
        "Sharpness: variance of the Laplacian, divided by that of the photos. Mosaic: gradients at block edges, "
        "divided by the average; 1 means no visible blocks."
    )
    return ResultTable("Reconstruction", ("by", "PSNR, dB", "MSE", "sharpness", "mosaic"), rows, note)


def _independence_tables(result: dict[str, Any]) -> Iterator[ResultTable]:
    latents = value_at(result, "latents")
    if latents is None:
        return
    columns = ("dci_disentanglement", "dci_completeness", "mig", "sap")
    rows = [
        (name, *(format_figure(value_at(latents, "disentanglement", name, key)) for key in columns))
        for name in DISENTANGLEMENT_ROWS
        if value_at(latents, "disentanglement", name) is not None
    ]
    note = (
        f"Total correlation {format_figure(latents['total_correlation'])} nats, mean mutual information of two latents "
        f"{format_figure(latents['pairwise_information'])} nats, {latents['active']} active latents. "
        "The factors of latents are the catalogue's attributes; those of attribute directions are what their sliders "
        "change. At 1, each changes one factor."
    )
    yield ResultTable("Independence", ("of", "DCI disentanglement", "completeness", "MIG", "SAP"), rows, note)
