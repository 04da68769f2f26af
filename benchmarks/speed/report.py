"""The report: each comparison as a ratio that is good at or above its target."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Report:
    """The measurements so far: each is printed at once, and all are written at the end."""

    def __init__(self) -> None:
        self.ratios: dict[str, dict[str, Any]] = {}
        self.about: dict[str, Any] = {}

    def heading(self, text: str) -> None:
        """Print the title of the next part."""
        print(f"\n{text}\n{'':44}{'ours':>12} {'peer':>12} {'unit':14}{'ratio':>8}{'target':>8}", flush=True)

    def add(self, name: str, ours: float, peer: float, unit: str, target: float | None, *, more: bool = False) -> None:
        """Add our value and a peer's, or the required value; set `more` if larger is better.

        `target` is the minimum ratio that is good; None if there is none.
        """
        ratio = (ours / peer if more else peer / ours) if ours and peer else 0.0
        self.ratios[name] = {"ratio": ratio, "target": target, "ours": ours, "peer": peer, "unit": unit}
        verdict = "" if target is None else f"{target:8.2f}" + ("" if ratio >= target else "  missed")
        print(f"{name:44}{ours:12,.3f} {peer:12,.3f} {unit:14}{ratio:8.2f}{verdict}", flush=True)

    def note(self, name: str, value: Any) -> None:
        """Add a measurement without a ratio."""
        self.about[name] = value
        print(f"{name}: {value}", flush=True)

    def write(self, path: Path) -> None:
        """Write JSON: `{name: {ratio, target, ours, peer, unit}}`; measurements without a ratio go to a second file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.ratios, indent=1) + "\n")
        path.with_name(f"{path.stem}-notes.json").write_text(json.dumps(self.about, indent=1) + "\n")
        missed = [name for name, each in self.ratios.items() if each["target"] and each["ratio"] < each["target"]]
        print(f"\n{len(self.ratios)} ratios, {len(missed)} below their target; written to {path}.")


def timed(work: Callable[[int], object], rounds: int = 5) -> float:
    """Return the median seconds of some rounds, which get their number, after one that does not count."""
    work(0)
    times: list[float] = []
    for turn in range(rounds):
        start = time.perf_counter()
        work(turn)
        times.append(time.perf_counter() - start)
    return median(times)


def median(times: list[float]) -> float:
    """Return the median, in seconds."""
    return float(np.median(times))
