"""Constants of the cost model: measured values with unit and spread; and functions that measure processes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Constant:
    """A `value` in `unit`, between `low` and `high` over repeats or between sizes; `how` says what was measured."""

    value: float
    low: float
    high: float
    unit: str
    how: str


class Results:
    """The measurements so far: each is printed at once, and all are written at the end."""

    def __init__(self) -> None:
        self.constants: dict[str, Constant] = {}
        self.samples: dict[str, list[float]] = {}
        self.about: dict[str, Any] = {}

    def repeated(self, name: str, values: Sequence[float], unit: str, how: str) -> None:
        """Add the median of some repeats; the spread is from minimum to maximum."""
        self._keep(name, Constant(float(np.median(values)), min(values), max(values), unit, how))

    def sloped(self, name: str, sizes: Sequence[float], values: Sequence[float], unit: str, how: str) -> None:
        """Add the cost of one more, the slope of a line through all sizes; the spread is between neighbouring sizes."""
        x, y = np.array(sizes, np.float64), np.array(values, np.float64)
        slope = float(np.polyfit(x, y, 1)[0])
        between = (np.diff(y) / np.diff(x)).clip(0.0).tolist()  # what is noise may fall
        method = f"{how}: the increase between {', '.join(f'{size:,.0f}' for size in sizes)}"
        self._keep(name, Constant(slope, min(between), max(between), unit, method))

    def _keep(self, name: str, constant: Constant) -> None:
        self.constants[name] = constant
        print(
            f"{name:26}{constant.value:14,.4g} {constant.unit:22} {constant.low:,.4g} to {constant.high:,.4g}",
            flush=True,
        )

    def write(self, path: Path) -> None:
        """Write JSON: {"about", "constants": {name: Constant}, "samples": {name: numbers}}."""
        path.parent.mkdir(parents=True, exist_ok=True)
        constants = {name: asdict(each) for name, each in self.constants.items()}
        whole = {"about": self.about, "constants": constants, "samples": self.samples}
        path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        print(f"{len(constants)} constants, written to {path}.")


def core_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this process's threads during `work()`. Other processes have little influence."""
    began = time.process_time()
    work()
    return time.process_time() - began


def of_process(pid: int) -> float:
    """Return the processor time of another process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_of(pid: int | str, name: str) -> float:
    """Return a line of /proc/PID/status in bytes: VmHWM is peak resident memory, RssAnon is memory without files."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def own_memory(pid: int) -> float:
    """Return the peak resident memory of a process without shared memory, in bytes; 0 if the process has ended."""
    with suppress(OSError, StopIteration):
        return memory_of(pid, "VmHWM") - memory_of(pid, "RssShmem")
    return 0.0


def write_between(page: Path, name: str, text: str) -> None:
    """Replace the text of a page between <!-- NAME:begin --> and <!-- NAME:end -->."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def bytes_in(directory: Path) -> int:
    """Return the bytes of all files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
