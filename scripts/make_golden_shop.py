"""Makes the golden shop of this version: tests/golden/shop-VERSION.zip, a backup, and what it answers, beside it.

    python scripts/make_golden_shop.py

Once for every release, and then never again: later versions prove on it that they open what this one wrote. Its
products are drawn by Modiste; its network is built and trained as any other, but so narrow that the file stays small.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from modiste import Shop, __version__
from modiste.pipeline.build import build
from modiste.sources.sample import SampleSource
from modiste.storage.backup import backup_shop
from modiste.vae.training import vae

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
FRAME, COUNT, LATENT, WIDTH, DESCRIBER = (24, 16), 24, 4, 1, 1
METHODS = ("likelihood", "fixed-epsilon", "mean")


def main() -> None:
    """Build the shop, ask it, and keep both."""
    GOLDEN.mkdir(exist_ok=True)
    # Nothing that answers, and nothing that a later version reads of a shop, depends on how wide the layers are.
    vae.DEFAULT_CHANNELS = WIDTH
    vae.DescriptorHead = partial(vae.DescriptorHead, width=DESCRIBER)  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        source = SampleSource(count=COUNT, seed=7, size=FRAME)
        build(source, root, frame=FRAME, epochs=12, latent=LATENT)
        summary = backup_shop(root, GOLDEN / f"shop-{__version__}.zip")
        answers = answers_of(Shop.open(root, need="map"))
    text = json.dumps(answers, indent=1, ensure_ascii=False) + "\n"
    (GOLDEN / f"shop-{__version__}.json").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{summary['file']}: {summary['bytes']:,} bytes\n")


def answers_of(shop: Shop) -> dict[str, object]:
    """What a shop answers to questions of every kind, as JSON."""
    product = shop.catalogue.ids[0]
    code = shop.code_of(product)
    return {
        "products": len(shop.catalogue),
        "catalogue_hash": shop.store.hash(),
        "model": shop.model.model_id,
        "clusters": list(shop.clusters.labels),
        "product": product,
        "attributes": shop.catalogue.attributes(0),
        "code": code.tolist(),
        "encoded": shop.encode(shop.photo(product)).mean.tolist(),
        "similar": {
            method: [(match.id, match.score) for match in shop.similar(code, 5, method, "catalogue")]  # type: ignore[arg-type]
            for method in METHODS
        },
        "recommend": {each.label: [match.id for match in each.matches] for each in shop.recommend(code, 2)},
        "drawn": np.asarray(shop.decode(code)).mean(axis=(0, 1)).tolist(),
        "sliders": [slider.name for slider in shop.sliders.latents],
        "place": shop.map.positions[0].tolist(),
    }


if __name__ == "__main__":
    main()
