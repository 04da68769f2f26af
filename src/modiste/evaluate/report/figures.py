"""The report's pictures: reconstructions, answers, recommendations, traversals, the latent map, training curves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.baselines import read_photos, shop_components
from modiste.evaluate.reconstruction import held_out
from modiste.evaluate.relevance import COLUMNS
from modiste.evaluate.report.svg import curves, picture, scatter
from modiste.shop.query import Method
from modiste.shop.results import Match
from modiste.shop.shop import Shop

RECONSTRUCTED = 9
ANSWERS = 8
PER_CATEGORY = 2
LATENTS = 32
STEPS = 9
REACH = 2.5  # in units of the prior's deviation
POINTS = 3000
SMALL, WIDE = 92, 104
TOGETHER = {"loss": "Loss", "reconstruction": "Reconstruction term", "kl": "KL, nats", "mse": "Squared error"}


def pictures(shop: Shop, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Title and HTML of each part; the same for a seed. Parts that there is nothing for are left out."""
    ids = held_out(shop, seed, RECONSTRUCTED)
    if ids:
        yield "Held-out photos and what is drawn of them", _reconstructions(shop, ids, seed)
    asked = some_products(shop, seed)
    yield "Similar products", "".join(_similar(shop, id_) for id_ in asked)
    if len(shop.clusters) > 1:
        yield "Recommendations from the other clusters", "".join(_recommended(shop, id_) for id_ in asked)
    yield "What each latent does", _traversals(shop, asked[0])
    yield "The latent map", _map(shop, seed)
    if records := _training(shop):
        yield "Training", records


def _reconstructions(shop: Shop, ids: list[str], seed: int) -> str:
    components = shop_components(shop, seed)
    photos = np.concatenate(list(read_photos(shop, ids)))
    drawn = shop.decode(shop.encodings.mean[shop.catalogue.rows(ids)])
    simple = components.draw(components.project(photos), shop.frame)
    count = len(components.axes)
    rows = (("photo", photos), ("model", drawn), (f"PCA-{count}", simple))
    lines = "".join(
        f'<span>{name}</span><div class="row">'
        + "".join(picture(each, f"{name} of {id_}", SMALL) for id_, each in zip(ids, row, strict=True))
        + "</div>"
        for name, row in rows
    )
    return f"<p>None of these was trained on.</p><div class='sheet'>{lines}</div>"


def some_products(shop: Shop, seed: int) -> list[str]:
    """Some products of each category, drawn by seed."""
    random = np.random.default_rng([seed, 8])
    categories = np.array(shop.catalogue.categories, dtype=object)
    chosen: list[str] = []
    for category in shop.catalogue.counts():
        rows = np.flatnonzero(categories == category)
        rows = random.choice(rows, min(PER_CATEGORY, len(rows)), replace=False)
        chosen += [shop.catalogue.ids[row] for row in rows]
    return chosen


def _similar(shop: Shop, id_: str) -> str:
    row = shop.catalogue.row(id_)
    k = min(ANSWERS, len(shop.catalogue))
    lines: list[str] = []
    designs: dict[Method, NDArray[np.float32]] = {
        "fixed-epsilon": shop.encodings.code[row],
        "likelihood": shop.encodings.mean[row],
    }
    for method, code in designs.items():
        matches: list[Match] = shop.similar(code, k, method, "catalogue", exclude=(id_,))
        lines.append(f"<h3>{method}</h3>{_row(_query(shop, id_), [_figure(match) for match in matches])}")
    return "".join(lines)


def _recommended(shop: Shop, id_: str) -> str:
    answer: Any = shop.recommend(shop.code_of(id_), min(ANSWERS // 2, len(shop.catalogue)), "fixed-epsilon")
    found = [_figure(match) for each in answer for match in each.matches]
    labels = ", ".join(each.label for each in answer)
    return f"<h3>{escape(labels)}</h3>{_row(_query(shop, id_), found)}"


def _row(query: str, answers: Sequence[str]) -> str:
    return f'<div class="row">{query}{"".join(answers)}</div>'


def _query(shop: Shop, id_: str) -> str:
    return _captioned(
        shop.photo(id_), _words(id_, shop.catalogue.attributes(shop.catalogue.row(id_))), WIDE, "asked"
    )


def _figure(match: Match) -> str:
    return _captioned(match.photo(), _words(match.id, match.attributes), SMALL)


def _captioned(pixels: NDArray[np.uint8], words: tuple[str, str], width: int, kind: str = "") -> str:
    id_, what = words
    of = f' class="{kind}"' if kind else ""
    return (
        f"<figure{of}>{picture(pixels, f'{id_} {what}'.strip(), width)}"
        f"<figcaption>{escape(id_)}<br>{escape(what)}</figcaption></figure>"
    )


def _words(id_: str, attributes: dict[str, Any]) -> tuple[str, str]:
    return id_, " ".join(str(attributes[name]) for name in reversed(COLUMNS) if name in attributes)


def _traversals(shop: Shop, id_: str) -> str:
    """One row per latent, the most used first: a product's mean with that latent from −2.5 to 2.5."""
    mean = shop.encodings.mean[shop.catalogue.row(id_)]
    used = np.array(shop.model.kl_per_latent or [0.0] * shop.model.latent)
    rows: list[str] = []
    for latent in np.argsort(-used, kind="stable")[:LATENTS].tolist():
        codes = np.tile(mean, (STEPS, 1))
        codes[:, latent] = np.linspace(-REACH, REACH, STEPS)
        strip = np.concatenate(list(shop.decode(codes)[:, ::2, ::2]), axis=1)
        rows.append(
            f"<span>z{latent + 1}<br>{used[latent]:.2f} nats</span>"
            f"{picture(strip, f'latent {latent + 1} from −{REACH} to {REACH}', 60 * STEPS)}"
        )
    return (
        f"<p>Product {escape(id_)}, one latent at a time from −{REACH} to {REACH}, the most used first (KL).</p>"
        f'<div class="sheet">{"".join(rows)}</div>'
    )


def _map(shop: Shop, seed: int) -> str:
    codes = shop.encodings.code.astype(np.float64)
    rows = np.arange(len(codes))
    if len(rows) > POINTS:
        rows = np.sort(np.random.default_rng([seed, 9]).choice(len(rows), POINTS, replace=False))
    centred = codes[rows] - codes.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    points = np.zeros((len(rows), 2))
    points[:, : len(axes)] = centred @ axes.T
    shown = scatter(points, [shop.catalogue.categories[row] for row in rows], "Codes by category")
    return f"<p>The codes of {len(rows):,} products along their first two principal axes, by category.</p>{shown}"


def _training(shop: Shop) -> str:
    """Curves of what `metrics.jsonl` holds; a line that is not whole is passed over."""
    path = shop.files.model(shop.model.model_id) / "metrics.jsonl"
    records: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "epoch" in record:
            records.append(record)
    drawn: list[str] = []
    for key, title in (*TOGETHER.items(), ("psnr", "PSNR, dB")):
        lines = {
            name: points
            for name, field in (("training", key), ("held out", f"validation_{key}"))
            if (points := [(float(r["epoch"]), float(r[field])) for r in records if _is_number(r.get(field))])
        }
        if lines:
            drawn.append(curves(lines, title))
    return f'<div class="curves">{"".join(drawn)}</div>' if drawn else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))
