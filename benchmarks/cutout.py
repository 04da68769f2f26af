"""Quality of cutting products from their background: photos on white are composed with known backgrounds, and cut out.

    python benchmarks/cutout.py [PHOTOS] [--count 60] [--seed 0] [--quick]

PHOTOS is a folder of JPEGs on white; without it, sample products are drawn. The true mask is what differs from white,
soft shadows included, so that an overlap of 1.0 is impossible. Prints, for each kind of background, the share of
refused photos and the overlap (intersection over union).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.images.masks import product_mask

from modiste.images.photo import read_photo
from modiste.sources.sample import SampleSource

KINDS = ("plain", "gradient", "vignette", "noise", "cloth", "busy")


def truth(photo: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the true mask of a photo on white: everything except the white that is connected to the border."""
    labels = ndimage.label(np.abs(photo.astype(int) - 255).max(axis=-1) <= 14)[0]
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return ndimage.binary_opening(~np.isin(labels, edge[edge > 0]))


def background(kind: str, h: int, w: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return a background of a kind in a random colour, `(h, w, 3)`, 0 to 255."""
    y, x = np.mgrid[0 : 1 : h * 1j, 0 : 1 : w * 1j][..., None]
    colour = random.integers(30, 240, 3).astype(float)
    pixels = np.broadcast_to(colour, (h, w, 3))
    if kind == "gradient":
        pixels = colour + random.integers(-60, 60, 3) * (x * random.random() + y * random.random())
    elif kind == "vignette":
        pixels = colour * (1 - 0.7 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    elif kind == "noise":
        pixels = pixels + random.normal(0, 6, (h, w, 3))
    elif kind == "cloth":
        pixels = pixels + ndimage.gaussian_filter(random.normal(0, 1, (h, w)), 2)[..., None] * 40
    elif kind == "busy":
        blocks = random.integers(0, 256, (8, 8, 3))
        pixels = blocks[(y[..., 0] * 7.99).astype(int), (x[..., 0] * 7.99).astype(int)].astype(float)
    return np.clip(pixels, 0, 255)


def composed(
    photo: NDArray[np.uint8], mask: NDArray[np.bool_], kind: str, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Compose the product at a random place on a larger background; return the photo and the true mask.

    Plain backgrounds get a soft shadow.
    """
    h, w = mask.shape
    tall, wide = round(1.25 * h), round(1.25 * w)
    top, left = int(random.integers(0, tall - h)), int(random.integers(0, wide - w))
    alpha, colours = np.zeros((tall, wide)), np.zeros((tall, wide, 3))
    alpha[top : top + h, left : left + w] = ndimage.gaussian_filter(mask.astype(float), 0.8)
    colours[top : top + h, left : left + w] = photo
    behind = background(kind, tall, wide, random)
    if kind != "busy":
        shadow = 0.25 * ndimage.gaussian_filter(np.roll(alpha, round(0.02 * tall), axis=0), 12)
        behind = behind * (1 - shadow[..., None])
    pixels = colours * alpha[..., None] + behind * (1 - alpha[..., None])
    return pixels.astype(np.uint8), alpha > 0.5


def photos(folder: Path | None, count: int, random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Yield at most `count` photos of the folder, drawn at random; without a folder, of the sample catalogue."""
    if folder is None:
        for item in SampleSource(count=count).records():
            yield read_photo(item.photo)
        return
    files = sorted(folder.rglob("*.jpg"))
    for i in random.permutation(len(files))[:count]:
        yield read_photo(files[i])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="six photos, in seconds")
    args = parser.parse_args()
    random = np.random.default_rng(args.seed)
    count = 6 if args.quick else args.count
    results: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for photo in photos(args.photos, count, random):
        mask = truth(photo)
        if not 0.03 < mask.mean() < 0.7:  # not on white, or white on white
            continue
        for kind in KINDS:
            pixels, true = composed(photo, mask, kind, random)
            began = time.perf_counter()
            cut = product_mask(pixels)
            taken = time.perf_counter() - began
            solid = None if cut is None else cut > 0.5
            overlap = np.nan if solid is None else (solid & true).sum() / (solid | true).sum()
            results[kind].append((float(overlap), taken))
    print(f"{'background':<12}{'photos':>8}{'refused':>9}{'median':>8}{'p10':>7}{'over .9':>9}{'ms':>6}")
    for kind, pairs in results.items():
        overlaps, seconds = np.array(pairs).T
        cut = overlaps[~np.isnan(overlaps)]
        figures = (np.median(cut), np.percentile(cut, 10), (cut > 0.9).mean()) if len(cut) else (np.nan,) * 3
        print(
            f"{kind:<12}{len(pairs):>8}{np.isnan(overlaps).mean():>9.0%}{figures[0]:>8.3f}{figures[1]:>7.3f}"
            f"{figures[2]:>9.0%}{1000 * np.median(seconds):>6.0f}"
        )


if __name__ == "__main__":
    main()
