"""write_report: an evaluation as one HTML file that stands alone, pictures first."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from modiste.evaluate.pages import Page, pages
from modiste.evaluate.pictures import pictures
from modiste.evaluate.style import STYLE
from modiste.shop.files import write_whole
from modiste.shop.shop import Shop


def write_report(shop: Shop, result: dict[str, Any], path: str | Path) -> None:
    """Write the report of a result of `evaluate` on this shop to `path`: no scripts, no files beside it.

    Raises:
        StorageError: the disk refused; a file that was there is as it was.
        ModisteError: what the shop's parts raise.
    """
    write_whole(Path(path), report(shop, result).encode())


def report(shop: Shop, result: dict[str, Any]) -> str:
    """The report as HTML."""
    body = "".join((_head(shop, result), *(_section(*part) for part in _parts(shop, result))))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Evaluation of {escape(shop.files.name)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _parts(shop: Shop, result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from pictures(shop, int(result["seed"]))
    for page in pages(result):
        yield page.title, _table(page)


def _head(shop: Shop, result: dict[str, Any]) -> str:
    of = f"unseen photos of {result['source']}" if result["source"] else "products of the catalogue"
    facts = {
        "Products": f"{result['products']:,} "
        f"({', '.join(f'{name} {count:,}' for name, count in shop.catalogue.counts().items())})",
        "Queries": f"{result['queries']:,} {of}, up to {result['per_category']:,} per category, seed {result['seed']}",
        "Model": f"{result['model']}, preset {shop.model.preset}, {shop.model.latent} latents, "
        f"{shop.frame[1]} × {shop.frame[0]} pixels",
    }
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in facts.items())
    notes = "".join(f"<li>{escape(note)}</li>" for note in result["notes"])
    return (
        f"<header><h1>Evaluation of {escape(shop.files.name)}</h1><dl>{lines}</dl>"
        "<p>Brackets hold 95 % bootstrap intervals. The paper’s figures were measured on other photos: "
        "a landmark, not a race.</p>" + (f'<ul class="notes">{notes}</ul>' if notes else "") + "</header>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(page: Page) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in page.columns)
    rows: list[str] = []
    for name, *cells in page.rows:
        faint = ' class="beside"' if name.startswith("  ") else ""
        figures = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr{faint}><th scope="row">{escape(name.strip())}</th>{figures}</tr>')
    note = f"<p>{escape(page.note)}</p>" if page.note else ""
    return f'{note}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
