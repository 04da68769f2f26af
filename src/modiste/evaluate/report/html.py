"""The evaluation as one self-contained HTML file, figures first."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from modiste.evaluate.report.figures import report_figures
from modiste.evaluate.report.tables import ResultTable, result_tables
from modiste.shop.shop import Shop
from modiste.storage.atomic import write_file


def write_report(shop: Shop, result: dict[str, Any], path: str | Path) -> None:
    """Write the report of a result of `evaluate` on this shop to `path`. It needs no scripts and no other files.

    Raises:
        StorageError: the file cannot be written. An existing file is unchanged.
        ModisteError: a part of the shop is missing or damaged.
    """
    write_file(Path(path), render_report(shop, result).encode())


def render_report(shop: Shop, result: dict[str, Any]) -> str:
    """Return the report as HTML."""
    body = "".join((_report_header(shop, result), *(_section(*part) for part in _report_sections(shop, result))))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Evaluation of {escape(shop.files.name)}</title><style>{STYLESHEET}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _report_sections(shop: Shop, result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from report_figures(shop, int(result["seed"]))
    for table in result_tables(result):
        yield table.title, _html_table(table)


def _report_header(shop: Shop, result: dict[str, Any]) -> str:
    kind = f"unseen photos of {result['source']}" if result["source"] else "products of the catalogue"
    facts = {
        "Products": f"{result['products']:,} "
        f"({', '.join(f'{name} {count:,}' for name, count in shop.catalogue.counts().items())})",
        "Queries": f"{result['queries']:,} {kind}, "
        f"up to {result['per_category']:,} per category, seed {result['seed']}",
        "Model": f"{result['model']}, preset {shop.model.preset}, {shop.model.latent} latents, "
        f"{shop.frame[1]} × {shop.frame[0]} pixels",
    }
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items())
    notes = "".join(f"<li>{escape(note)}</li>" for note in result["notes"])
    return (
        f"<header><h1>Evaluation of {escape(shop.files.name)}</h1><dl>{lines}</dl>"
        "<p>Brackets contain 95 % bootstrap intervals. The paper’s figures were measured on other photos, so compare "
        "them with care.</p>" + (f'<ul class="notes">{notes}</ul>' if notes else "") + "</header>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _html_table(table: ResultTable) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows: list[str] = []
    for name, *cells in table.rows:
        attribute = ' class="comparison"' if name.startswith("  ") else ""
        figures = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr{attribute}><th scope="row">{escape(name.strip())}</th>{figures}</tr>')
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return f'{note}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


STYLESHEET = """
:root { color-scheme: light dark; --ink: #1b1b1f; --faint: #5c5c66; --paper: #fbfbfd; --plate: #ffffff;
  --line: #dedee4; --mark: #0a5c9c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e9ee; --faint: #a2a2ae; --paper: #141417;
  --plate: #1d1d22; --line: #35353d; --mark: #7cc0f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 16px; }
h2 { font-size: 1.15rem; margin: 0 0 8px; }
h3 { font-size: .95rem; margin: 16px 0 6px; color: var(--faint); font-weight: 600; }
section { border-top: 1px solid var(--line); margin-top: 32px; padding-top: 20px; }
p { margin: 0 0 10px; color: var(--faint); max-width: 70ch; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 16px; }
dt { color: var(--faint); }
dd { margin: 0; }
.notes { color: var(--faint); padding-left: 20px; margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 14px 5px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; font-weight: 500; }
thead th { color: var(--faint); font-weight: 600; font-size: .85rem; }
.comparison th, .comparison td { color: var(--faint); }
.comparison th:first-child { padding-left: 16px; }
img { display: block; height: auto; border-radius: 4px; background: #fff; }
figure { margin: 0; }
figcaption { font-size: .78rem; line-height: 1.3; color: var(--faint); overflow-wrap: anywhere; margin-top: 3px; }
.row { display: flex; gap: 8px; overflow-x: auto; padding-bottom: 6px; align-items: flex-start; }
.row figure { flex: none; width: 92px; }
.row figure.query { margin-right: 12px; padding-right: 12px; border-right: 1px solid var(--line); width: 117px; }
.sheet { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 12px; align-items: center; }
.sheet > img { max-width: 100%; }
.row img { flex: none; }
.sheet span { font-size: .82rem; color: var(--faint); }
.curves { display: flex; flex-wrap: wrap; gap: 20px; }
.curve { width: 340px; max-width: 100%; }
svg { display: block; width: 100%; height: auto; }
svg.map { max-width: 640px; }
svg text { font: 11px system-ui, sans-serif; fill: var(--faint); }
.plate { fill: var(--plate); stroke: var(--line); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 6px 0 0;
  font-size: .85rem; color: var(--faint); }
.legend span { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .4em; }
"""
