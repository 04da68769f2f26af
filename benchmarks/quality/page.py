"""Write the measurements into docs/quality.md: the table of all methods, and two tables of Modiste over the seeds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROWS = {
    "numbers": "numbers",
    "article_type": "same `article_type` in the top 10",
    "base_colour": "same `base_colour` in the top 10",
    "mAP@10": "mAP@10, everywhere",
    "mAP@500": "mAP@500",
    "clusters, mixture": "clusters, macro-F1: merged mixture",
    "clusters, K-means": "K-means",
    "PSNR, dB": "PSNR, dB",
    "sharpness": "sharpness",
    "mosaic": "mosaic",
    "total correlation": "total correlation, nats",
    "goes with it: base_colour": "goes with it, by shift: same colour",
}
WITHIN = {"catalogue": "everywhere", "unsupervised": "inside the merged mixture's cluster, which knows no tags",
          "cluster": "inside the category that the codes say"}  # fmt: skip
DEPTHS = ("10", "25", "50", "500")
WAYS = {"transport": "transport", "shift": "shift", "printed": "as printed", "unshifted": "without a shift",
        "random": "at random"}  # fmt: skip


def write_page(page: Path, rows: Mapping[str, Mapping[str, Any]], evaluations: Sequence[Any]) -> None:
    """Replace each part between its marks. A part without evaluations stays as it is."""
    text = page.read_text(encoding="utf-8")
    parts = {"methods": all_methods(rows)}
    if evaluations:
        parts |= {"likelihood": two_methods(evaluations), "goes-with": goes_with(evaluations)}
    for name, table in parts.items():
        marks = rf"(<!-- bench:{name} -->\n).*?(\n<!-- bench:end -->)"
        text, count = re.subn(marks, lambda match, table=table: match[1] + table + match[2], text, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"{page} has no place for {name}.")
    page.write_text(text, encoding="utf-8")


def all_methods(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of all methods. Brackets contain the interval, or the seeds' extremes for single figures."""
    names = list(rows)
    lines = ["| | " + " | ".join(f"**{name}**" if i == 0 else name for i, name in enumerate(names)) + " |"]
    lines += ["|---" * (len(names) + 1) + "|"]
    lines += ["| seeds | " + " | ".join(str(rows[name]["seeds"]) for name in names) + " |"]
    for key, title in ROWS.items():
        cells = [_cell(rows[name].get(key), key) for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def two_methods(evaluations: Sequence[Any]) -> str:
    """Return the table of the paper's two methods on the same queries."""
    methods = ("likelihood", "fixed-epsilon")
    lines = ["| mean of the seeds (least–most) | likelihood | fixed-epsilon |", "|---|---|---|"]
    for name in ("article_type", "base_colour"):
        cells = [_spread([each["attributes"][name][method] for each in evaluations]) for method in methods]
        lines.append(f"| same `{name}` | {' | '.join(cells)} |")
    for scope, words in WITHIN.items():
        cells = [
            " / ".join(
                _short(float(np.mean([each["retrieval"][scope][method][depth] for each in evaluations])))
                for depth in DEPTHS
            )
            for method in methods
        ]
        lines.append(f"| mAP at {' / '.join(DEPTHS)}, {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def goes_with(evaluations: Sequence[Any]) -> str:
    """Return the table of recommendations."""

    def values(way: str, key: str) -> list[float]:
        return [each["recommendations"][way][key] for each in evaluations]

    chance = _short(float(np.mean(values("transport", "chance"))))
    rows = (
        ("base_colour", f"same `base_colour` (chance {chance})", 3),
        ("gender", "same `gender`", 3),
        ("usage", "same `usage`", 3),
        ("ciede2000", "CIEDE2000 of the foregrounds", 1),
        ("largest_share", "largest share of one product", 4),
        ("distinct", f"distinct of {evaluations[0]['recommendations']['transport']['answers']:,} answers", 0),
    )
    lines = ["| | " + " | ".join(WAYS.values()) + " |", "|---" * (len(WAYS) + 1) + "|"]
    for key, title, digits in rows:
        lines.append(f"| {title} | " + " | ".join(_spread(values(way, key), digits) for way in WAYS) + " |")
    bounds = [
        np.mean([each["intervals"]["recommendations"][way]["base_colour"] for each in evaluations], axis=0)
        for way in WAYS
    ]
    cells = " | ".join(f"[{_short(low)}, {_short(high)}]" for low, high in bounds)
    lines.append(f"| mean of the seeds' 95 % intervals, colour | {cells} |")
    return "\n".join(lines)


def read_evaluations(folder: Path, seeds: Sequence[int]) -> list[Any]:
    """Return the result of `modiste evaluate` for each seed; an empty list if one is missing."""
    files = [folder / f"evaluation-{seed}.json" for seed in seeds]
    return [json.loads(file.read_text()) for file in files] if all(file.is_file() for file in files) else []


def _cell(value: Sequence[float] | None, key: str) -> str:
    if value is None:
        return "–"
    digits = 0 if key == "numbers" else 2 if key in ("PSNR, dB", "total correlation") else 3
    mean, low, high = (_short(each, digits) for each in value)
    return mean if low == high else f"{mean} [{low}, {high}]"


def _spread(values: Sequence[float], digits: int = 3) -> str:
    mean, low, high = (_short(float(each), digits) for each in (np.mean(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low}–{high})"


def _short(value: float, digits: int = 3) -> str:
    """Format a number as the page does: without a zero before the point."""
    text = f"{value:,.{digits}f}"
    return text[1:] if text.startswith("0.") else text
