"""The paper's tables, baselines, finer measures, and the report."""

from __future__ import annotations

from modiste.evaluate.evaluate import evaluate

__all__ = ["evaluate"]
