"""Evaluation of a shop: the paper's tables, baselines, further metrics, and the report."""

from __future__ import annotations

from modiste.evaluate.evaluate import evaluate

__all__ = ["evaluate"]
