"""Progress bars on standard error, one per stage, from the dictionaries that the stages tell."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

STAGE_LABELS = {
    "ingest": "photos in",
    "read": "reading",
    "tune": "tuning",
    "train": "training",
    "encode": "encoding",
    "cluster": "clustering",
    "sliders": "sliders",
    "map": "map",
    "evaluate": "evaluating",
    "backup": "MB out",
    "restore": "MB in",
    "examine": "looking",
}
LOSS_TERMS = ("loss", "kl", "psnr")


class ProgressBars:
    """`with Bars() as bars:` gives a callback. On a terminal it draws bars; elsewhere it writes a line per epoch."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(file=sys.stderr, stderr=True)
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("{task.description:<11}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> ProgressBars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        """Show one event; see modiste.progress."""
        stage = str(event.get("stage", ""))
        if stage == "epoch":
            if not self._console.is_terminal and not self._quiet:
                self._console.print(
                    f"epoch {event.get('epoch')}/{event.get('epochs')} {_details(event)}", soft_wrap=True
                )
            return
        if stage == "train":
            steps = max(1, int(event.get("steps", 1)))
            done = (int(event["epoch"]) - 1) * steps + int(event["step"])
            total = int(event["epochs"]) * steps
        else:
            done, total = int(event.get("done", 0)), event.get("total")
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(STAGE_LABELS.get(stage, stage), total=total or done, words="")
        self._progress.update(self._tasks[stage], completed=done, total=total or done, words=_details(event))


def _details(event: dict[str, Any]) -> str:
    parts = [f"epoch {event['epoch']}/{event['epochs']}"] if event.get("stage") == "train" else []
    for name in LOSS_TERMS:
        for key in (name, f"validation_{name}"):
            value = event.get(key)
            parts += [f"{key.replace('_', ' ')} {value:.4g}"] if isinstance(value, float) else []
    if "images_per_second" in event:
        parts.append(f"{event['images_per_second']:.0f} photos/s")
    return "  ".join(parts)
