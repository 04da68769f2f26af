"""Image descriptors: silhouette, oriented edges (HOG) and colour histogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.images.colour import rgb_to_lab
from modiste.images.measurements import foreground_mask

Float32Array = NDArray[np.float32]

ORIENTATIONS = 8
HOG_GRID = 10  # cells along either side
BLOCK_CLIP = 0.2  # of a block's length: no single edge dominates it (Lowe 2004)
OUTLINE_GRID = (20, 15)  # cells of the silhouette
LAB_BINS = (6, 8, 8)  # of lightness, green to red, blue to yellow
SHAPE_SIZE, COLOUR_SIZE = 2892, 390  # numbers per photo
# In Lab; values beyond are in the first or last bin.
LAB_MIN, LAB_MAX = np.array([0.0, -60.0, -60.0]), np.array([100.0, 60.0, 60.0])


def shape_descriptors(photos: NDArray[np.uint8]) -> Float32Array:
    """Return silhouette and oriented edges of photos, uint8 `(b, h, w, 3)`: `(b, 2892)`. Colour has no influence.

    Histograms of oriented gradients (Dalal and Triggs 2005): eight unsigned orientations in 10 x 10 cells, each block
    of 2 x 2 cells normalised to length 1 and clipped, `(b, 2592)`; and the share of foreground in 20 x 15 cells.
    """
    count, h, w = photos.shape[:3]
    grey = photos.mean(axis=3, dtype=np.float32) / np.float32(255)
    down, along = np.zeros_like(grey), np.zeros_like(grey)
    down[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    along[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    length = np.hypot(down, along)
    turn = (np.arctan2(down, along) % np.float32(np.pi)) * np.float32(ORIENTATIONS / np.pi)
    first = np.floor(turn)
    share = turn - first
    cell = _cell_numbers(h, HOG_GRID)[:, None] * HOG_GRID + _cell_numbers(w, HOG_GRID)
    histogram = (np.arange(count)[:, None, None] * HOG_GRID * HOG_GRID + cell) * ORIENTATIONS
    total = np.zeros(count * HOG_GRID * HOG_GRID * ORIENTATIONS)
    for offset, weight in ((0, length * (1 - share)), (1, length * share)):
        bins = histogram + (first.astype(np.intp) + offset) % ORIENTATIONS
        total += np.bincount(bins.ravel(), weight.ravel(), len(total))
    pixels = np.bincount(cell.ravel(), minlength=HOG_GRID * HOG_GRID)
    cells = total.reshape(count, HOG_GRID, HOG_GRID, -1) / np.maximum(pixels, 1).reshape(HOG_GRID, HOG_GRID, 1)
    blocks = np.concatenate([cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, :-1, 1:], cells[:, 1:, 1:]], axis=3)
    blocks = np.minimum(blocks / np.sqrt(np.square(blocks).sum(axis=3, keepdims=True) + 1e-4), BLOCK_CLIP)
    return np.hstack([blocks.reshape(count, -1), _outline_descriptors(photos)]).astype(np.float32)


def colour_descriptors(photos: NDArray[np.uint8]) -> Float32Array:
    """Return the foreground's colours of photos, uint8 `(b, h, w, 3)`: `(b, 390)`. Shape has no influence.

    The square roots of the shares of its pixels in 6 x 8 x 8 bins of Lab, smoothed (so that the Euclidean distance is
    Hellinger's), `(b, 384)`; and mean and standard deviation of Lab. Every second pixel is used.
    """
    from scipy import ndimage

    thinned = photos[:, ::2, ::2]
    count, mask = len(thinned), foreground_mask(thinned)
    lab = rgb_to_lab(thinned[mask])
    photo_of = np.repeat(np.arange(count), mask.sum(axis=(1, 2)))
    scaled = (lab - LAB_MIN) / (LAB_MAX - LAB_MIN) * LAB_BINS
    bins_of = np.clip(scaled.astype(np.intp), 0, np.array(LAB_BINS) - 1)
    size = int(np.prod(LAB_BINS))
    bins = photo_of * size + np.ravel_multi_index(tuple(bins_of.T), LAB_BINS)
    counts = np.bincount(bins, minlength=count * size).reshape(count, *LAB_BINS).astype(np.float64)
    smooth = np.asarray(ndimage.gaussian_filter(counts, (0, 0.7, 0.7, 0.7)), np.float64).reshape(count, size)
    shares = np.sqrt(smooth / np.maximum(smooth.sum(axis=1, keepdims=True), 1e-6))
    pixels = np.maximum(np.bincount(photo_of, minlength=count), 1)
    mean = np.stack([np.bincount(photo_of, lab[:, c], count) / pixels for c in range(3)], axis=1)
    square = np.stack([np.bincount(photo_of, np.square(lab[:, c]), count) / pixels for c in range(3)], axis=1)
    deviation = np.sqrt(np.maximum(square - np.square(mean), 0.0))
    return np.hstack([shares, mean, deviation]).astype(np.float32)


def _outline_descriptors(photos: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the share of foreground in each cell of the OUTLINE_GRID, `(b, 300)`."""
    mask = foreground_mask(photos)
    count, h, w = mask.shape
    cell = _cell_numbers(h, OUTLINE_GRID[0])[:, None] * OUTLINE_GRID[1] + _cell_numbers(w, OUTLINE_GRID[1])
    size = OUTLINE_GRID[0] * OUTLINE_GRID[1]
    histogram = np.arange(count)[:, None, None] * size + cell
    total = np.bincount(histogram[mask], minlength=count * size).reshape(count, size)
    return total / np.maximum(np.bincount(cell.ravel(), minlength=size), 1)


def _cell_numbers(length: int, cells: int) -> NDArray[np.intp]:
    """Return the cell of each pixel along one side, `(length,)`."""
    return (np.arange(length) * cells) // length
