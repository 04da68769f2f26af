"""The evaluation's figures as tables: ours with their 95 % intervals, then the paper's and the simpler methods'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from rich.table import Table
from rich.text import Text

Figures = dict[str, Any]
Sources = list[tuple[str, Figures, Figures]]  # whose they are, the figures, their intervals


def evaluation_tables(result: Figures) -> Iterator[Table]:
    """A table for each part of an evaluation that has figures."""
    between = _part(result, "intervals")
    sources: Sources = [("model", result, between), ("paper", _part(result, "paper"), {})]
    for name, figures in _part(result, "baselines").items():
        sources.append((name, figures, _part(_part(between, "baselines"), name)))
    yield from _filled(
        _clusters(sources),
        _retrieval(sources, "catalogue"),
        _retrieval(sources, "cluster"),
        _attributes(sources),
        _recommendations(sources),
        _reconstruction(sources),
    )


def _filled(*tables: Table) -> Iterator[Table]:
    yield from (table for table in tables if table.row_count)


def _clusters(sources: Sources) -> Table:
    scores = ("accuracy", "precision", "recall", "f1")
    table = _table("Clusters against categories", "of", "on", "category", *scores)
    for name, figures, between in sources:
        for on, found in _part(figures, "clusters").items():
            spread = _part(_part(between, "clusters"), on)
            for category, row in _part(found, "per_class").items():
                held = _part(_part(spread, "per_class"), category)
                _add(table, name, on, category, *(_cell(row.get(score), held.get(score)) for score in scores))
            macro = _cell(found.get("macro_f1"), spread.get("macro_f1"))
            _add(table, name, on, "macro-F1", "", "", "", macro)
    return table


def _retrieval(sources: Sources, scope: str) -> Table:
    depths = ("10", "25", "50", "500")
    table = _table(f"Same category, mAP at k, {scope} scope", "of", "method", *depths)
    for name, figures, between in sources:
        held = _part(_part(between, "retrieval"), scope)
        for method, row in _part(_part(figures, "retrieval"), scope).items():
            spread = _part(held, method)
            _add(table, name, method, *(_cell(row.get(depth), spread.get(depth)) for depth in depths))
    return table


def _attributes(sources: Sources) -> Table:
    columns = list(dict.fromkeys(key for _, figures, _ in sources for key in _part(figures, "attributes")))
    table = _table("Share of the top 10 that agree with the query", "of", "method", *columns)
    for name, figures, between in sources:
        held, spread = _part(figures, "attributes"), _part(between, "attributes")
        methods = dict.fromkeys(method for values in held.values() for method in values)
        for method in methods:
            cells = (_cell(_part(held, key).get(method), _part(spread, key).get(method)) for key in columns)
            _add(table, name, method, *cells)
    return table


def _recommendations(sources: Sources) -> Table:
    found = [
        (name, method, row, _part(_part(between, "recommendations"), method))
        for name, figures, between in sources
        for method, row in _part(figures, "recommendations").items()
    ]
    columns = list(dict.fromkeys(key for _, _, row, _ in found for key in row))
    table = _table("Recommendations", "of", "method", *(column.replace("_", " ") for column in columns))
    for name, method, row, spread in found:
        _add(table, name, method, *(_cell(row.get(key), spread.get(key)) for key in columns))
    return table


def _reconstruction(sources: Sources) -> Table:
    table = _table("Reconstruction of photos never trained on", "of", "PSNR, dB", "MSE")
    for name, figures, between in sources:
        held, spread = _part(figures, "reconstruction"), _part(between, "reconstruction")
        if held:
            _add(table, name, *(_cell(held.get(key), spread.get(key)) for key in ("psnr", "mse")))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(
            Text(column), justify="left" if column in ("of", "on", "method", "category") else "right"
        )
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(cell) for cell in cells))


def _part(figures: Figures, name: str) -> Figures:
    found = figures.get(name)
    return cast("Figures", found) if isinstance(found, dict) else {}


def _cell(value: Any, between: Any = None) -> str:
    if not isinstance(value, (int, float)):
        return "-"
    text = str(value) if isinstance(value, int) else f"{value:.4g}" if abs(value) < 0.01 else f"{value:.3f}"
    if isinstance(between, (list, tuple)) and len(cast("list[Any]", between)) == 2 and None not in between:
        low, high = cast("tuple[float, float]", between)
        text += f" ({low:.3g}–{high:.3g})"
    return text
