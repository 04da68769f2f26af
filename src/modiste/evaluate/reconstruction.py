"""Reconstruction of photos that the model was not trained on, by the model and by principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate import baselines
from modiste.evaluate.bootstrap import Tree
from modiste.evaluate.queries import QuerySet
from modiste.images.measurements import LUMA_WEIGHTS
from modiste.shop.shop import Shop

Floats = NDArray[np.float64]

MAX_RECONSTRUCTIONS = 2000  # held-out photos to reconstruct
MIN_SQUARED_ERROR = 1e-10  # equal photos get 100 dB instead of infinity
BLOCK_SIDES_PX = (2, 3, 4, 6, 8)  # block sizes that `mosaic` looks for


def evaluate_reconstruction(
    shop: Shop, queries: QuerySet, components: baselines.PrincipalComponents, seed: int
) -> tuple[tuple[Tree, Tree], tuple[Tree, Tree]]:
    """Reconstruct the queries' photos, or held-out photos if the queries are products of the catalogue.

    Returns:
        For the model and for PCA: `psnr`, `mse` and `sharpness` per photo, and `mosaic` over all photos. `sharpness` is
        the Laplacian variance of the reconstruction, divided by the mean Laplacian variance of all photos.
    """
    model_scores, pca_scores = (_ReconstructionScores(shop.frame) for _ in range(2))
    photo_variances: list[Floats] = []
    if queries.jpegs is not None:
        batches = baselines.iter_decoded_photos(queries.jpegs)
        means = queries.posterior.mean
    else:
        ids = held_out_ids(shop, seed)
        batches = baselines.iter_shop_photos(shop, ids)
        means = shop.encodings.mean[shop.catalogue.rows(ids)]
    start = 0
    for photos in batches:
        reconstructions = shop.decode(means[start : start + len(photos)])
        start += len(photos)
        photo_variances.append(laplacian_variance(photos))
        model_scores.add(photos, reconstructions)
        pca_scores.add(photos, components.reconstruct(components.project(photos), shop.frame))
    variances = np.concatenate([np.empty(0), *photo_variances])
    mean_variance = float(variances.mean()) if len(variances) else 0.0
    return model_scores.results(mean_variance), pca_scores.results(mean_variance)


def held_out_ids(shop: Shop, seed: int, max_count: int = MAX_RECONSTRUCTIONS) -> list[str]:
    """Return at most `max_count` products that the model was not trained on, drawn by `seed`, sorted by id."""
    known = set(shop.catalogue.ids)
    ids = sorted(each for each in shop.model.validation_ids if each in known)
    if len(ids) <= max_count:
        return ids
    chosen = np.random.default_rng([seed, 7]).choice(len(ids), max_count, replace=False)
    return [ids[row] for row in np.sort(chosen)]


class _ReconstructionScores:
    def __init__(self, frame: tuple[int, int]) -> None:
        self._errors: list[Floats] = []
        self._variances: list[Floats] = []
        self._gradients = GradientSums(frame)

    def add(self, photos: NDArray[np.uint8], reconstructions: NDArray[Any]) -> None:
        self._errors.append(squared_error(photos, reconstructions))
        self._variances.append(laplacian_variance(reconstructions))
        self._gradients.add(reconstructions)

    def results(self, mean_photo_variance: float) -> tuple[Tree, Tree]:
        errors, variances = (np.concatenate([np.empty(0), *parts]) for parts in (self._errors, self._variances))
        sharpness = variances / mean_photo_variance if mean_photo_variance > 0 else np.full(len(variances), np.nan)
        tree = {"psnr": psnr(errors), "mse": errors, "sharpness": sharpness}
        return tree, {"mosaic": self._gradients.mosaic()}


def squared_error(photos: NDArray[np.uint8], reconstructions: NDArray[Any]) -> Floats:
    """Return the mean squared error of each photo, `(b,)`, for colours from 0 to 1.

    Both arguments are `(b, H, W, 3)` with colours from 0 to 255, uint8 or float.
    """
    difference = (photos.astype(np.float32) - reconstructions.astype(np.float32)) / np.float32(255)
    return np.square(difference).reshape(len(photos), -1).mean(axis=1, dtype=np.float64)


def psnr(error: Floats) -> Floats:
    """Return the peak signal-to-noise ratio of each photo in dB: −10 log₁₀ MSE, for colours from 0 to 1."""
    return -10.0 * np.log10(np.maximum(error, MIN_SQUARED_ERROR))


def laplacian_variance(photos: NDArray[Any]) -> Floats:
    """Return the variance of the Laplacian of each photo's luma, `(b,)`: high if edges are sharp (Pech-Pacheco 2000).

    Photos are `(b, H, W, 3)`, 0 to 255. The Laplacian uses the four neighbours, and leaves out the frame's border.
    """
    variances = np.empty(len(photos))
    for row, photo in enumerate(photos):  # one by one, they fit a processor's cache
        luma = photo.astype(np.float32) @ LUMA_WEIGHTS
        neighbours = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
        variances[row] = float((neighbours - 4.0 * luma[1:-1, 1:-1]).var(dtype=np.float64))
    return variances


class GradientSums:
    """Squared differences between neighbouring pixels, summed by row and by column over many photos."""

    def __init__(self, frame: tuple[int, int]) -> None:
        """Create empty sums; `frame` is (height, width)."""
        self.vertical = np.zeros(frame[0] - 1)
        self.horizontal = np.zeros(frame[1] - 1)

    def add(self, photos: NDArray[Any]) -> None:
        """Add photos `(b, H, W, 3)`."""
        for photo in photos:
            luma = photo.astype(np.float32) @ LUMA_WEIGHTS
            self.vertical += np.square(np.diff(luma, axis=0)).mean(axis=1)
            self.horizontal += np.square(np.diff(luma, axis=1)).mean(axis=0)

    def mosaic(self) -> float | None:
        """Return the strength of block edges, as a decoder's upsampling makes them; 1 means that there are none.

        For each of BLOCK_SIDES_PX, the sums are grouped by their position in the block. The result is the largest
        ratio of a position's median to the mean of all medians, of all block sizes and both directions. Each sum is
        first divided by the average over one block around it, so that the products' place in the frame does not count.
        Enlarged photos have a mosaic too. None if all photos are uniform, or smaller than three blocks.
        """
        ratios = [_block_edge_ratio(sums, side) for sums in (self.vertical, self.horizontal) for side in BLOCK_SIDES_PX]
        known = [ratio for ratio in ratios if ratio is not None]
        return max(known) if known else None


def _block_edge_ratio(sums: Floats, side: int) -> float | None:
    if len(sums) < 3 * side or not sums.any():
        return None
    # A window of one block. The ends of an even one count half, so that all positions in the block have equal weight.
    window = np.ones(side) if side % 2 else np.concatenate([[0.5], np.ones(side - 1), [0.5]])
    average = np.convolve(sums, window / window.sum(), mode="valid")
    first = len(window) // 2
    inner = sums[first : first + len(average)]
    relative = np.divide(inner, average, out=np.ones_like(inner), where=average > 0)
    # The median over blocks ignores an edge that many products have at one place, such as a sole or a rim.
    positions = np.arange(len(relative)) % side
    medians = np.array([np.median(relative[positions == position]) for position in range(side)])
    return float(medians.max() / medians.mean()) if medians.any() else None
