"""The paper's figures (Tables 1 to 3), in the shape of an evaluation's result.

The paper measured them on other photos, with categories of other sizes, so compare them with care.
"""

from __future__ import annotations

from typing import Any


def _class_scores(**rows: tuple[float, float, float, float]) -> dict[str, Any]:
    names = ("accuracy", "precision", "recall", "f1")
    per_class = {category: dict(zip(names, row, strict=True)) for category, row in rows.items()}
    macro = sum(row["f1"] for row in per_class.values()) / len(per_class)
    return {"per_class": per_class, "macro_f1": round(macro, 3)}


def _map_scores(*figures: float) -> dict[str, float]:
    return dict(zip(("10", "25", "50", "500"), figures, strict=True))


PAPER_RESULTS: dict[str, Any] = {
    "clusters": {
        "code": _class_scores(
            bags=(0.863, 1.0, 0.69, 0.81), footwear=(0.985, 0.98, 0.98, 0.98), eyewear=(0.864, 0.53, 1.0, 0.70)
        ),
        "mean": _class_scores(
            bags=(0.866, 1.0, 0.69, 0.82), footwear=(0.985, 0.98, 0.98, 0.98), eyewear=(0.865, 0.54, 1.0, 0.70)
        ),
    },
    "retrieval": {
        "catalogue": {
            "likelihood": _map_scores(0.946, 0.918, 0.894, 0.762),
            "fixed-epsilon": _map_scores(0.955, 0.947, 0.899, 0.846),
        },
        "cluster": {
            "likelihood": _map_scores(0.954, 0.942, 0.942, 0.896),
            "fixed-epsilon": _map_scores(0.953, 0.950, 0.948, 0.922),
        },
    },
}
