"""What the model draws of photos that it was not trained on, and what principal components draw of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate import baselines
from modiste.evaluate.bootstrap import Tree
from modiste.evaluate.queries import QuerySet
from modiste.images.measurements import LUMA_WEIGHTS
from modiste.shop.shop import Shop

MAX_RECONSTRUCTIONS = 2000  # held-out photos to reconstruct


def evaluate_reconstruction(
    shop: Shop, questions: QuerySet, components: baselines.PrincipalComponents, seed: int
) -> tuple[tuple[Tree, Tree], tuple[Tree, Tree]]:
    """For the model and for PCA: PSNR, squared error and sharpness per photo; and the mosaic over all photos.

    `sharpness` is each drawing's Laplacian variance over the mean of the photos', so that its mean is the ratio of the
    means.
    """
    drawers = (_ReconstructionScores(shop.frame), _ReconstructionScores(shop.frame))
    real: list[NDArray[np.float64]] = []
    if questions.jpegs is not None:
        batches = baselines.iter_decoded_photos(questions.jpegs)
        means_of = questions.posterior.mean
    else:
        ids = held_out_ids(shop, seed)
        batches = baselines.iter_shop_photos(shop, ids)
        means_of = shop.encodings.mean[shop.catalogue.rows(ids)]
    start = 0
    for photos in batches:
        drawn = shop.decode(means_of[start : start + len(photos)])
        start += len(photos)
        real.append(laplacian_variance(photos))
        drawers[0].add(photos, drawn)
        drawers[1].add(photos, components.reconstruct(components.project(photos), shop.frame))
    crisp = np.concatenate([np.empty(0), *real])
    ours, theirs = (drawer.results(float(crisp.mean()) if len(crisp) else 0.0) for drawer in drawers)
    return ours, theirs


def held_out_ids(shop: Shop, seed: int, max_count: int = MAX_RECONSTRUCTIONS) -> list[str]:
    """Products that the model was never trained on, at most `most`, drawn by `seed`; in the order of their ids."""
    known = set(shop.catalogue.ids)
    ids = sorted(each for each in shop.model.validation_ids if each in known)
    if len(ids) <= max_count:
        return ids
    chosen = np.random.default_rng([seed, 7]).choice(len(ids), max_count, replace=False)
    return [ids[row] for row in np.sort(chosen)]


class _ReconstructionScores:
    def __init__(self, frame: tuple[int, int]) -> None:
        self._errors: list[NDArray[np.float64]] = []
        self._crisp: list[NDArray[np.float64]] = []
        self._steps = GradientSums(frame)

    def add(self, photos: NDArray[np.uint8], drawn: NDArray[Any]) -> None:
        self._errors.append(squared_error(photos, drawn))
        self._crisp.append(laplacian_variance(drawn))
        self._steps.add(drawn)

    def results(self, crisp: float) -> tuple[Tree, Tree]:
        errors, own = (np.concatenate([np.empty(0), *parts]) for parts in (self._errors, self._crisp))
        sharpness = own / crisp if crisp > 0 else np.full(len(own), np.nan)
        tree = {"psnr": psnr(errors), "mse": errors, "sharpness": sharpness}
        return tree, {"mosaic": self._steps.mosaic()}


Floats = NDArray[np.float64]

MIN_SQUARED_ERROR = 1e-10  # equal photos count as 100 dB instead of infinitely many
BLOCK_SIDES_PX = (2, 3, 4, 6, 8)  # sides of blocks to look for, pixels


def squared_error(photos: NDArray[np.uint8], drawn: NDArray[Any]) -> Floats:
    """The mean squared error of each photo, `(b,)`, colours 0 to 1; uint8 or float `(b, H, W, 3)`, 0 to 255."""
    apart = (photos.astype(np.float32) - drawn.astype(np.float32)) / np.float32(255)
    return np.square(apart).reshape(len(photos), -1).mean(axis=1, dtype=np.float64)


def psnr(error: Floats) -> Floats:
    """Peak signal-to-noise ratio in dB of each photo from its squared error (colours from 0 to 1): −10 log₁₀ MSE."""
    return -10.0 * np.log10(np.maximum(error, MIN_SQUARED_ERROR))


def laplacian_variance(photos: NDArray[Any]) -> Floats:
    """The variance of the Laplacian of each photo's luma, `(b,)`: high where edges are crisp (Pech-Pacheco 2000).

    Photos are `(b, H, W, 3)`, 0 to 255; the Laplacian is that of the four neighbours, inside the frame.
    """
    found = np.empty(len(photos))
    for row, photo in enumerate(photos):  # one by one, they fit a processor's cache
        light = photo.astype(np.float32) @ LUMA_WEIGHTS
        around = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]
        found[row] = float((around - 4.0 * light[1:-1, 1:-1]).var(dtype=np.float64))
    return found


class GradientSums:
    """Squared steps between neighbouring pixels, summed by column and by row over many photos."""

    def __init__(self, frame: tuple[int, int]) -> None:
        """`frame` is (height, width)."""
        self.vertical = np.zeros(frame[0] - 1)
        self.horizontal = np.zeros(frame[1] - 1)

    def add(self, photos: NDArray[Any]) -> None:
        """Count photos `(b, H, W, 3)` in."""
        for photo in photos:
            light = photo.astype(np.float32) @ LUMA_WEIGHTS
            self.vertical += np.square(np.diff(light, axis=0)).mean(axis=1)
            self.horizontal += np.square(np.diff(light, axis=1)).mean(axis=0)

    def mosaic(self) -> float | None:
        """How much more steps there are at the edges of blocks than elsewhere: 1 for none; None without any step.

        For each side of BLOCKS the steps are parted by their place in the block; the answer is the largest typical step
        of a place over the mean of all places, in either direction. Each step is first divided by the average over one
        block around it, so that where in the frame products lie does not count. Photos that were enlarged have a
        mosaic too.
        """
        found = [_unevenness(steps, side) for steps in (self.vertical, self.horizontal) for side in BLOCK_SIDES_PX]
        known = [each for each in found if each is not None]
        return max(known) if known else None


def _unevenness(steps: Floats, side: int) -> float | None:
    if len(steps) < 3 * side or not steps.any():
        return None
    # A whole block on either side, each end of an even window counting half: no place in the block is favoured.
    window = np.ones(side) if side % 2 else np.concatenate([[0.5], np.ones(side - 1), [0.5]])
    average = np.convolve(steps, window / window.sum(), mode="valid")
    first = len(window) // 2
    inner = steps[first : first + len(average)]
    relative = np.divide(inner, average, out=np.ones_like(inner), where=average > 0)
    # The median over blocks: a sole or a rim where many products have it is no mosaic.
    places = np.arange(len(relative)) % side
    typical = np.array([np.median(relative[places == place]) for place in range(side)])
    return float(typical.max() / typical.mean()) if typical.any() else None
