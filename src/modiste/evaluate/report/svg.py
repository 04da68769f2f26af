"""Images and charts of the report as HTML: photos as data URLs, scatter plots and line charts as inline SVG."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from modiste.images.photo import to_jpeg

Floats = NDArray[np.float64]

# Okabe and Ito's colours, which colour-blind readers can distinguish too, on white and on black.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
JPEG_QUALITY = 82


def image_tag(pixels: NDArray[np.uint8], alt: str, width: int) -> str:
    """Return the `img` tag of a photo, uint8 `(h, w, 3)`, `width` CSS pixels wide, with an alternative text."""
    data = base64.b64encode(to_jpeg(pixels, JPEG_QUALITY)).decode("ascii")
    height = max(1, round(width * pixels.shape[0] / pixels.shape[1]))
    return (
        f'<img src="data:image/jpeg;base64,{data}" alt="{escape(alt)}" title="{escape(alt)}" '
        f'width="{width}" height="{height}">'
    )


def scatter_plot(points: Floats, groups: Sequence[str], title: str, size: int = 640) -> str:
    """Draw points `(m, 2)`, coloured by group, with a legend."""
    names = sorted(set(groups))
    low, high = np.percentile(points, (0.5, 99.5), axis=0)
    placed = (points - low) / np.maximum(high - low, 1e-9) * (size - 40) + 20
    placed = placed.clip(4, size - 4)
    dots: list[str] = []
    for number, name in enumerate(names):
        inside = placed[[each == name for each in groups]]
        circles = "".join(f'<circle cx="{x:.1f}" cy="{size - y:.1f}" r="2.2"/>' for x, y in inside)
        dots.append(f'<g fill="{group_colour(number)}" fill-opacity=".55"><title>{escape(name)}</title>{circles}</g>')
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {size} {size}" class="map">'
        f'<rect width="{size}" height="{size}" class="plate"/>{"".join(dots)}</svg>{legend(names)}'
    )


def line_chart(lines: dict[str, list[tuple[float, float]]], title: str, size: tuple[int, int] = (420, 220)) -> str:
    """Draw lines of (x, y) with labels at the axes' ends. Of y, the middle 98 % of values is shown."""
    width, height = size
    points = np.array([point for line in lines.values() for point in line], np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    low[1], high[1] = np.percentile(points[:, 1], (1, 99))
    span = np.maximum(high - low, 1e-9)
    left, right, top, bottom = 62, 12, 12, 28

    def place(x: float, y: float) -> str:
        x_px = left + (x - low[0]) / span[0] * (width - left - right)
        share = min(max((y - low[1]) / span[1], 0.0), 1.0)
        return f"{x_px:.1f},{height - bottom - share * (height - top - bottom):.1f}"

    polylines = "".join(
        f'<polyline points="{" ".join(place(x, y) for x, y in line)}" stroke="{group_colour(number)}" '
        f'fill="none" stroke-width="2"><title>{escape(name)}</title></polyline>'
        for number, (name, line) in enumerate(lines.items())
    )
    base = height - bottom
    return (
        f'<figure class="curve"><figcaption>{escape(title)}</figcaption>'
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}">'
        f'<rect x="{left}" y="{top}" width="{width - left - right}" height="{base - top}" class="plate"/>{polylines}'
        f'<text x="{left - 6}" y="{base}" text-anchor="end">{_format_axis_value(low[1])}</text>'
        f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{_format_axis_value(high[1])}</text>'
        f'<text x="{left}" y="{height - 8}">epoch {low[0]:.0f}</text>'
        f'<text x="{width - right}" y="{height - 8}" text-anchor="end">{high[0]:.0f}</text></svg>'
        f"{legend(list(lines))}</figure>"
    )


def _format_axis_value(value: float) -> str:
    """Format a number so that it fits beside its axis."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def legend(names: Sequence[str]) -> str:
    """Return the legend of the groups' colours; empty if there is only one group."""
    if len(names) < 2:
        return ""
    entries = "".join(
        f'<li><span style="background:{group_colour(number)}"></span>{escape(name)}</li>'
        for number, name in enumerate(names)
    )
    return f'<ul class="legend">{entries}</ul>'


def group_colour(number: int) -> str:
    """Return the colour of a group. The colours repeat after six groups."""
    return PALETTE[number % len(PALETTE)]
