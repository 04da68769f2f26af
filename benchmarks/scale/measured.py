"""A constant of the model: a measured value with its unit, its spread over repeats, and how it was come by."""

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
    """`value` in `unit`, between `low` and `high` over repeats or between sizes; `how` says what was measured."""

    value: float
    low: float
    high: float
    unit: str
    how: str


class Found:
    """What was measured so far; printed as it comes, written at the end."""

    def __init__(self) -> None:
        self.constants: dict[str, Constant] = {}
        self.samples: dict[str, list[float]] = {}
        self.about: dict[str, Any] = {}

    def repeated(self, name: str, values: Sequence[float], unit: str, how: str) -> None:
        """The median of some repeats; the spread is from the least to the greatest."""
        self._keep(name, Constant(float(np.median(values)), min(values), max(values), unit, how))

    def sloped(self, name: str, sizes: Sequence[float], values: Sequence[float], unit: str, how: str) -> None:
        """What one more costs: the slope of a line through all sizes; the spread is that between neighbouring ones."""
        x, y = np.array(sizes, np.float64), np.array(values, np.float64)
        slope = float(np.polyfit(x, y, 1)[0])
        between = (np.diff(y) / np.diff(x)).clip(0.0).tolist()  # what is noise may fall
        said = f"{how}; slope over {', '.join(f'{size:,.0f}' for size in sizes)}"
        self._keep(name, Constant(slope, min(between), max(between), unit, said))

    def _keep(self, name: str, found: Constant) -> None:
        self.constants[name] = found
        print(f"{name:26}{found.value:14,.4g} {found.unit:22} {found.low:,.4g} to {found.high:,.4g}", flush=True)

    def write(self, path: Path) -> None:
        """As JSON: {"about", "constants": {name: Constant}, "samples": {name: numbers}}."""
        path.parent.mkdir(parents=True, exist_ok=True)
        held = {name: asdict(each) for name, each in self.constants.items()}
        whole = {"about": self.about, "constants": held, "samples": self.samples}
        path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        print(f"{len(held)} constants, written to {path}.")


def core_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process, all its threads, that some work takes: other processes count little in it."""
    began = time.process_time()
    work()
    return time.process_time() - began


def of_process(pid: int) -> float:
    """Processor time of another process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_of(pid: int | str, name: str) -> float:
    """Bytes by a line of /proc/PID/status: VmHWM is the most that was resident, RssAnon what is no file's."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def own_memory(pid: int) -> float:
    """The most bytes that a process had resident, without what it shares with others; 0 where it is gone."""
    with suppress(OSError, StopIteration):
        return memory_of(pid, "VmHWM") - memory_of(pid, "RssShmem")
    return 0.0


def write_between(page: Path, name: str, text: str) -> None:
    """Replace what stands on a page between the marks of a name: <!-- NAME:begin --> and <!-- NAME:end -->."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def bytes_in(directory: Path) -> int:
    """Bytes of all files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
