"""Progress of a long stage: dictionaries passed to a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# {"stage": "ingest" | "train" | "encode" | "cluster" | "sliders" | "map" |
# "backup" | "restore" | "examine", "done": int, "total": int | None, ...}; training adds its losses.
Progress = Callable[[dict[str, Any]], None]


def report(on_progress: Progress | None, stage: str, done: int, total: int | None, **details: Any) -> None:
    """Call `on_progress`, unless it is None, with the number of items done and their total."""
    if on_progress is not None:
        on_progress({"stage": stage, "done": done, "total": total, **details})
