"""Subprocesses with a clean environment."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def worker_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of Modiste in a separate process."""
    return [sys.executable, "-P", "-m", module, *arguments]


def clean_environment() -> dict[str, str]:
    """Return this process's environment without Modiste's keys, with its import paths and one thread per library."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MODISTE_")}
    paths = os.pathsep.join(path for path in sys.path if path)
    thread_limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
    return variables | {"PYTHONPATH": paths} | thread_limits


def limit_resources(**limits: int) -> None:
    """Limit this process by the names of the module `resource`, such as RLIMIT_AS, as far as the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, limit in limits.items():
        with suppress(OSError, ValueError):  # macOS refuses some of them
            resource.setrlimit(getattr(resource, name), (limit, limit))
