"""Closed sets of options, shared by the library, the command line and the HTTP API."""

from __future__ import annotations

from typing import Literal

Background = Literal["any", "white"]
Preset = Literal["default", "paper"]
ClusterMethod = Literal["kmeans", "mixture", "category"]
ClusterFeatures = Literal["code", "mean"]
Method = Literal["likelihood", "fixed-epsilon", "mean"]
Metric = Literal["euclidean", "manhattan"]
Scope = Literal["cluster", "catalogue"]
Grouping = Literal["cluster", "category"]
RecommendMethod = Literal[
    "transport",
    "shift",
    "likelihood",
    "fixed-epsilon",
    "mean",
    "transport:likelihood",
    "transport:fixed-epsilon",
    "transport:mean",
    "shift:likelihood",
    "shift:fixed-epsilon",
    "shift:mean",
]
