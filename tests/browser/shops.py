"""Shops for the tests of the page: sliders edited by hand, few and many categories, hostile names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

IDLE = (6, 3)  # the latents that the edited sliders call idle
KL = (0.9, 4.1, 2.2, 0.01, 3.3, 1.7, 0.02, 0.4)  # nats by latent; the page's order follows from them
BY_KL = (1, 4, 2, 5, 0, 7)  # the others, the most first
LOW, HIGH = "weniger", "ärmellos ↔ خياط"  # the ends of the first slider, as someone wrote them


def sliders_file(shop: Path) -> Path:
    """Return the path of the sliders of a shop with one model."""
    return next(shop.glob("models/*/sliders.json"))


def edited_copy(shop: Path, root: Path) -> Path:
    """Copy the small shop, and edit its `sliders.json`, so that tests do not depend on its brief training.

    Every latent has its nats from KL. Its range contains the codes of nearly all products, so that a design is
    somewhere along every slider. The first slider has names of its own. There are two attribute directions.
    """
    from modiste.shop.shop import Shop

    shutil.copytree(shop, root)
    codes = Shop.open(shop, need="encodings").encodings.code
    low, high = np.percentile(codes, [1, 99], axis=0)
    middle, half = (low + high) / 2, (high - low) * 2
    file = sliders_file(root)
    sliders: dict[str, Any] = json.loads(file.read_text())
    for each in sliders["latents"]:
        n = each["latent"]
        each |= {"minimum": float(middle[n] - half[n]), "maximum": float(middle[n] + half[n]), "kl": KL[n]}
        each |= {"low": f"low end {n}", "high": f"high end {n}"}
        if n == BY_KL[0]:
            each |= {"low": LOW, "high": HIGH}
    sliders["latents"].sort(key=lambda each: -each["kl"])
    sliders["attributes"] = [
        _direction("lightness", None, (BY_KL[0], BY_KL[1]), middle, half),
        _direction("base_colour", "Red", (BY_KL[2], BY_KL[3]), middle, half),
    ]
    file.write_text(json.dumps(sliders, ensure_ascii=False))
    return root


def widened_copy(shop: Path, root: Path) -> Path:
    """Copy the small shop, with sliders that go far beyond its products."""
    file = sliders_file(shutil.copytree(shop, root))
    sliders: dict[str, Any] = json.loads(file.read_text())
    for each in sliders["latents"]:
        middle = (each["minimum"] + each["maximum"]) / 2
        each |= {"minimum": middle - 8, "maximum": middle + 8}
    file.write_text(json.dumps(sliders))
    return root


def _direction(
    attribute: str, value: str | None, latents: tuple[int, int], middle: np.ndarray, half: np.ndarray
) -> dict[str, Any]:
    direction = np.zeros(len(KL))
    direction[list(latents)] = (0.6, 0.8)
    centre, reach = float(middle @ direction), float(half @ direction)
    return {
        "attribute": attribute,
        "value": value,
        "direction": direction.tolist(),
        "minimum": centre - reach,
        "maximum": centre + reach,
        "share": 0.5,
    }


HOSTILE = (
    '<img src=x onerror="window.pwned = 1">',
    "</script><script>window.pwned = 2</script>",
    "أحذية وحقائب يدوية",
    "鞋履與手袋",
    "\u202egnitser\u202c <b>bold</b>",
    "L" * 10_000,
    "many words " * 900,
    "'; DROP TABLE products; --",
    "{{constructor}} ${7*7} %s",
    "Ünïcödé 👠👜 e\u0301",
    "a/b?c#d&e=f",
    "javascript:window.pwned = 3",
)
"""Texts that a shop's table may hold: markup, right-to-left and other scripts, 10 kB, and what other programs obey."""

NAME = "<i>خياط & Söhne"
"""What such a shop may be called."""


def small_shop(root: Path, *, products: int, categories: tuple[str, ...], latent: int) -> Path:
    """Build a shop of few sample products, which take the categories in turn, with texts from HOSTILE.

    Ids and categories are as hostile as a shop allows: of bounded length, and ids without control characters.
    """
    from modiste.pipeline.build import build
    from modiste.sources.record import Record
    from modiste.sources.sample import SampleSource
    from modiste.sources.sanitize import MAX_NAME_CHARS, escape_to_one_line
    from tests.small import FRAME, Listed

    drawn = SampleSource(count=products, seed=5, size=FRAME).records()
    records = [
        Record(
            escape_to_one_line(f"{i} {HOSTILE[10]} {HOSTILE[i % len(HOSTILE)][:60]}"),
            categories[i % len(categories)][:MAX_NAME_CHARS],
            each.photo,
            {
                "name": f"{HOSTILE[i % len(HOSTILE)]} {i}",
                "base_colour": each.attributes["base_colour"],
                "material": HOSTILE[(i + 1) % len(HOSTILE)],
                "in_stock": i % 3 > 0,
            },
        )
        for i, each in enumerate(drawn)
        if isinstance(each, Record)
    ]
    build(Listed(list(records), "listed"), root, frame=FRAME, epochs=2, latent=latent, cluster_method="kmeans")
    return root
