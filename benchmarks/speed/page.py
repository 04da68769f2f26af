"""Tables of docs/performance.md, from the measurements of a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def write_page(page: Path, by_name: dict[str, dict[str, Any]], about: dict[str, Any], drawn: Path) -> None:
    """Replace the text between the marks of a page, and copy the chart of growth to the page's images."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    parts = [BEGIN, ratios(by_name), floor(about), notes(about), END]
    page.write_text(before + "\n\n".join(parts) + after, encoding="utf-8")
    if drawn.exists():
        shutil.copyfile(drawn, page.parent / "images" / "growth.svg")


def ratios(by_name: dict[str, dict[str, Any]]) -> str:
    """Return the table of ratios."""
    lines = ["| measure / peer | ours | peer, or required value | unit | ratio | target |", "|---|---|---|---|---|---|"]
    for name, each in by_name.items():
        target = "" if each["target"] is None else f"{each['target']:g}"
        missed = "" if each["target"] is None or each["ratio"] >= each["target"] else ", **missed**"
        lines.append(
            f"| {name} | {number(each['ours'])} | {number(each['peer'])} | {each['unit']} "
            f"| {each['ratio']:.2f} | {target}{missed} |"
        )
    return "\n".join(lines)


def floor(about: dict[str, Any]) -> str:
    """Return the table of lower bounds."""
    lines = ["| cost | bytes moved | operations | floor | ours | times the floor |", "|---|---|---|---|---|---|"]
    for name, row in about.items():
        if name.startswith("floor: "):
            lines.append(
                f"| {name.removeprefix('floor: ')} | {row['moved']} | {row['operations']} "
                f"| {number(row['floor'])} | {number(row['ours'])} | {row['times the floor']:.1f} |"
            )
    return "\n".join(lines)


def notes(about: dict[str, Any]) -> str:
    """Return the table of measurements without a ratio."""
    lines = ["| other measurement | |", "|---|---|"]
    for name, value in about.items():
        if not name.startswith("floor: ") and name != "growth":
            lines.append(f"| {name} | {number(value)} |")
    return "\n".join(lines)


def number(value: Any) -> str:
    """Format a number with three significant digits; return other values as text."""
    if isinstance(value, list):
        return ", ".join(number(each) for each in value)
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
