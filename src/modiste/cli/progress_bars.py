"""Progress bars on standard error, one per stage."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

STAGE_LABELS = {"tune": "benchmark", "backup": "MB saved", "restore": "MB restored", "examine": "check"}
LOSS_TERMS = ("loss", "kl", "psnr")


class ProgressBars(Progress):
    """A progress callback, see `modiste.progress`: draws bars on a terminal, prints a line per epoch elsewhere.

    With `quiet`, it prints nothing elsewhere.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        console = Console(file=sys.stderr, stderr=True)
        super().__init__(
            TextColumn("{task.description:<11}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[details]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._prints_epochs = not console.is_terminal and not quiet
        self._bars: dict[str, TaskID] = {}

    def __call__(self, event: dict[str, Any]) -> None:
        """Show one event."""
        stage, details = str(event["stage"]), _format_details(event)
        if stage == "epoch":
            if self._prints_epochs:
                self.console.print(f"epoch {event['epoch']}/{event['epochs']} {details}", soft_wrap=True)
            return
        if stage == "train":
            steps = max(1, event["steps"])
            done, total = (event["epoch"] - 1) * steps + event["step"], event["epochs"] * steps
            details = f"epoch {event['epoch']}/{event['epochs']}  {details}"
        else:
            done, total = event["done"], event["total"] or event["done"]
        if stage not in self._bars:
            self._bars[stage] = self.add_task(STAGE_LABELS.get(stage, stage), total=total, details="")
        self.update(self._bars[stage], completed=done, total=total, details=details)


def _format_details(event: dict[str, Any]) -> str:
    """Return the losses and the speed in an event of training."""
    names = [key for term in LOSS_TERMS for key in (term, f"validation_{term}") if isinstance(event.get(key), float)]
    details = [f"{name.replace('_', ' ')} {event[name]:.4g}" for name in names]
    if "images_per_second" in event:
        details.append(f"{event['images_per_second']:.0f} photos/s")
    return "  ".join(details)
