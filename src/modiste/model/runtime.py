"""ONNX Runtime, told before it starts to report to nobody: from 1.29 on, it would tell its maker about each process."""

from __future__ import annotations

import os
from typing import Any

QUIET = "ORT_DISABLE_TELEMETRY"


def onnx_runtime() -> Any:
    """The module `onnxruntime`, which is imported here and nowhere else."""
    os.environ.setdefault(QUIET, "1")
    import onnxruntime

    return onnxruntime
