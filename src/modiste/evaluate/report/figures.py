"""Figures of the report: reconstructions, results, recommendations, traversals, the latent map, training curves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.choices import Method
from modiste.evaluate.baselines import iter_shop_photos, shop_pca
from modiste.evaluate.reconstruction import held_out_ids
from modiste.evaluate.relevance import AGREEMENT_COLUMNS
from modiste.evaluate.report.svg import image_tag, line_chart, scatter_plot
from modiste.shop.results import Match
from modiste.shop.shop import Shop

SHOWN_RECONSTRUCTIONS = 9
RESULTS_PER_QUERY = 8
PRODUCTS_PER_CATEGORY = 2
MAX_LATENTS = 32
TRAVERSAL_STEPS = 9
TRAVERSAL_RANGE_SD = 2.5  # in standard deviations of the prior
MAX_MAP_POINTS = 3000
SMALL_WIDTH_PX, WIDE_WIDTH_PX = 92, 104
LOSS_CURVES = {"loss": "Loss", "reconstruction": "Reconstruction term", "kl": "KL, nats", "mse": "Squared error"}


def report_figures(shop: Shop, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the title and HTML of each figure, the same for the same seed. Figures without content are left out."""
    ids = held_out_ids(shop, seed, SHOWN_RECONSTRUCTIONS)
    if ids:
        yield "Held-out photos and their reconstructions", _reconstructions(shop, ids, seed)
    query_ids = sample_products(shop, seed)
    yield "Similar products", "".join(_similar(shop, id_) for id_ in query_ids)
    if len(shop.clusters) > 1:
        yield "Recommendations from the other clusters", "".join(_recommendations(shop, id_) for id_ in query_ids)
    yield "The effect of each latent", _traversals(shop, query_ids[0])
    yield "The latent map", _latent_map(shop, seed)
    if curves := _training_curves(shop):
        yield "Training", curves


def _reconstructions(shop: Shop, ids: list[str], seed: int) -> str:
    components = shop_pca(shop, seed)
    photos = np.concatenate(list(iter_shop_photos(shop, ids)))
    by_model = shop.decode(shop.encodings.mean[shop.catalogue.rows(ids)])
    by_pca = components.reconstruct(components.project(photos), shop.frame)
    count = len(components.axes)
    rows = (("photo", photos), ("model", by_model), (f"PCA-{count}", by_pca))
    lines = "".join(
        f'<span>{name}</span><div class="row">'
        + "".join(image_tag(each, f"{name} of {id_}", SMALL_WIDTH_PX) for id_, each in zip(ids, row, strict=True))
        + "</div>"
        for name, row in rows
    )
    return f"<p>The model was not trained on these photos.</p><div class='sheet'>{lines}</div>"


def sample_products(shop: Shop, seed: int) -> list[str]:
    """Draw PRODUCTS_PER_CATEGORY products of each category with `seed`."""
    random = np.random.default_rng([seed, 8])
    categories = np.array(shop.catalogue.categories, dtype=object)
    chosen: list[str] = []
    for category in shop.catalogue.counts():
        rows = np.flatnonzero(categories == category)
        rows = random.choice(rows, min(PRODUCTS_PER_CATEGORY, len(rows)), replace=False)
        chosen += [shop.catalogue.ids[row] for row in rows]
    return chosen


def _similar(shop: Shop, id_: str) -> str:
    row = shop.catalogue.row(id_)
    k = min(RESULTS_PER_QUERY, len(shop.catalogue))
    lines: list[str] = []
    designs: dict[Method, NDArray[np.float32]] = {
        "fixed-epsilon": shop.encodings.code[row],
        "likelihood": shop.encodings.mean[row],
    }
    for method, code in designs.items():
        matches: list[Match] = shop.similar(code, k, method, "catalogue", exclude=(id_,))
        lines.append(f"<h3>{method}</h3>{_row(_query_figure(shop, id_), [_match_figure(match) for match in matches])}")
    return "".join(lines)


def _recommendations(shop: Shop, id_: str) -> str:
    k = min(RESULTS_PER_QUERY // 2, len(shop.catalogue))
    recommendations: Any = shop.recommend(shop.code_of(id_), k, "fixed-epsilon")
    figures = [_match_figure(match) for each in recommendations for match in each.matches]
    labels = ", ".join(each.label for each in recommendations)
    return f"<h3>{escape(labels)}</h3>{_row(_query_figure(shop, id_), figures)}"


def _row(query: str, results: Sequence[str]) -> str:
    return f'<div class="row">{query}{"".join(results)}</div>'


def _query_figure(shop: Shop, id_: str) -> str:
    return _captioned(
        shop.photo(id_), _caption(id_, shop.catalogue.attributes(shop.catalogue.row(id_))), WIDE_WIDTH_PX, "query"
    )


def _match_figure(match: Match) -> str:
    return _captioned(match.photo(), _caption(match.id, match.attributes), SMALL_WIDTH_PX)


def _captioned(pixels: NDArray[np.uint8], caption: tuple[str, str], width: int, css_class: str = "") -> str:
    id_, description = caption
    attribute = f' class="{css_class}"' if css_class else ""
    return (
        f"<figure{attribute}>{image_tag(pixels, f'{id_} {description}'.strip(), width)}"
        f"<figcaption>{escape(id_)}<br>{escape(description)}</figcaption></figure>"
    )


def _caption(id_: str, attributes: dict[str, Any]) -> tuple[str, str]:
    return id_, " ".join(str(attributes[name]) for name in reversed(AGREEMENT_COLUMNS) if name in attributes)


def _traversals(shop: Shop, id_: str) -> str:
    """Draw one row per latent, highest KL first: a product's mean with that latent from −2.5 to 2.5."""
    mean = shop.encodings.mean[shop.catalogue.row(id_)]
    kl = np.array(shop.model.kl_per_latent or [0.0] * shop.model.latent)
    span = f"from −{TRAVERSAL_RANGE_SD} to {TRAVERSAL_RANGE_SD}"
    rows: list[str] = []
    for latent in np.argsort(-kl, kind="stable")[:MAX_LATENTS].tolist():
        codes = np.tile(mean, (TRAVERSAL_STEPS, 1))
        codes[:, latent] = np.linspace(-TRAVERSAL_RANGE_SD, TRAVERSAL_RANGE_SD, TRAVERSAL_STEPS)
        strip = np.concatenate(list(shop.decode(codes)[:, ::2, ::2]), axis=1)
        rows.append(
            f"<span>z{latent + 1}<br>{kl[latent]:.2f} nats</span>"
            f"{image_tag(strip, f'latent {latent + 1} {span}', 60 * TRAVERSAL_STEPS)}"
        )
    return (
        f"<p>Product {escape(id_)}. Each row changes one latent {span}. The latent with the highest KL is first.</p>"
        f'<div class="sheet">{"".join(rows)}</div>'
    )


def _latent_map(shop: Shop, seed: int) -> str:
    codes = shop.encodings.code.astype(np.float64)
    rows = np.arange(len(codes))
    if len(rows) > MAX_MAP_POINTS:
        rows = np.sort(np.random.default_rng([seed, 9]).choice(len(rows), MAX_MAP_POINTS, replace=False))
    centred = codes[rows] - codes.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    points = np.zeros((len(rows), 2))
    points[:, : len(axes)] = centred @ axes.T
    plot = scatter_plot(points, [shop.catalogue.categories[row] for row in rows], "Codes by category")
    return f"<p>The codes of {len(rows):,} products along their first two principal axes, by category.</p>{plot}"


def _training_curves(shop: Shop) -> str:
    """Draw curves of the metrics in `metrics.jsonl`. Incomplete lines are skipped."""
    path = shop.files.model(shop.model.model_id) / "metrics.jsonl"
    records: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "epoch" in record:
            records.append(record)
    charts: list[str] = []
    for key, title in (*LOSS_CURVES.items(), ("psnr", "PSNR, dB")):
        lines = {
            name: points
            for name, field in (("training", key), ("held out", f"validation_{key}"))
            if (points := [(float(r["epoch"]), float(r[field])) for r in records if _is_number(r.get(field))])
        }
        if lines:
            charts.append(line_chart(lines, title))
    return f'<div class="curves">{"".join(charts)}</div>' if charts else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))
