"""2-D projection of codes for the map of a catalogue: similar codes lie next to each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_TSNE_CODES = 20_000  # the time of t-SNE grows faster than the number of codes
MIN_TSNE_CODES = 50  # fewer codes have no neighbourhoods to preserve; PCA is more informative
PERPLEXITY = 30.0
NEIGHBOURS = 5
MARGIN = 0.02
BATCH_ROWS = 32  # codes at once, so that their distances to all sampled codes stay in the cache


def project_2d(codes: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Project codes `(N, n)` to positions from 0 to 1, float32 `(N, 2)`: t-SNE (scikit-learn) from a PCA start.

    Above MAX_TSNE_CODES codes, a sample of that size is projected and the others are placed between their nearest
    neighbours in it. Below MIN_TSNE_CODES the result is the PCA. Equal codes may get slightly different positions. The
    result is reproducible for a seed.
    """
    count = len(codes)
    if count <= MAX_TSNE_CODES:
        return _scale_to_unit(_fit_tsne(codes, seed))
    sample = np.sort(np.random.default_rng(seed).choice(count, MAX_TSNE_CODES, replace=False))
    sampled, sampled_positions = codes[sample], _fit_tsne(codes[sample], seed)
    positions = np.empty((count, 2))
    rest = np.setdiff1d(np.arange(count), sample)
    positions[sample] = sampled_positions
    positions[rest] = place(codes[rest], sampled, sampled_positions)
    return _scale_to_unit(positions)


def place(codes: NDArray[np.float32], known: NDArray[np.float32], positions: NDArray[Any]) -> NDArray[np.float64]:
    """Return positions `(b, 2)` of codes `(b, n)`, each between those of its NEIGHBOURS nearest known codes.

    Args:
        codes: `(b, n)`.
        known: codes with positions, `(F, n)`; at least one. More than MAX_TSNE_CODES are thinned out evenly, unless
            only a few codes are placed.
        positions: positions of the known codes, `(F, 2)`.
    """
    if len(codes) > BATCH_ROWS and len(known) > MAX_TSNE_CODES:
        thinned = np.linspace(0, len(known) - 1, MAX_TSNE_CODES).astype(np.intp)
        known, positions = known[thinned], positions[thinned]
    columns = np.ascontiguousarray(known.T)
    halves = (np.square(known, dtype=np.float64).sum(axis=1) / 2.0).astype(np.float32)
    placed = np.empty((len(codes), 2))
    for start in range(0, len(codes), BATCH_ROWS):
        batch = slice(start, start + BATCH_ROWS)
        neighbours = _nearest_known(codes[batch], columns, halves)
        gaps = np.linalg.norm(codes[batch, None].astype(np.float64) - known[neighbours], axis=2)
        placed[batch] = interpolate_position(positions[neighbours], gaps)
    return placed


def _nearest_known(
    codes: NDArray[np.float32], columns: NDArray[np.float32], halves: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Return the NEIGHBOURS known codes nearest to each of some codes, `(b, NEIGHBOURS)`.

    `columns` `(n, F)` are the known codes, and `halves` `(F,)` half their squared lengths: |c − k|² / 2 is k²/2 − c·k
    plus a constant. A few passes for the minimum are much faster than a partition.
    """
    gaps = halves - codes @ columns
    count = min(NEIGHBOURS, columns.shape[1])
    rows, neighbours = np.arange(len(codes)), np.empty((len(codes), count), np.intp)
    for rank in range(count):
        neighbours[:, rank] = gaps.argmin(axis=1)
        gaps[rows, neighbours[:, rank]] = np.inf
    return neighbours


def interpolate_position(positions: NDArray[Any], distances: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of neighbours' positions `(…, k, 2)`, weighted by 1/distance⁴: `(…, 2)`.

    The fourth power keeps a code near its nearest neighbours where the plane has separated the others; at a distance of
    0 the result is that neighbour's position.
    """
    gaps = np.asarray(distances, np.float64)
    nearest = gaps.min(axis=-1, keepdims=True)
    # Relative to the nearest distance, so that nothing overflows; where it is 0, only neighbours at 0 count.
    ratio = np.divide(nearest, gaps, out=np.ones_like(gaps), where=gaps > 0)
    weight = ratio**4
    weight /= weight.sum(axis=-1, keepdims=True)
    return (np.asarray(positions, np.float64) * weight[..., None]).sum(axis=-2)


def _fit_tsne(codes: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    points = codes.astype(np.float64) - codes.mean(axis=0, dtype=np.float64)
    if len(points) < MIN_TSNE_CODES or not points.any():
        return _principal_components(points)
    from sklearn.manifold import TSNE

    start = _principal_components(points)
    start *= 1e-4 / max(float(start[:, 0].std()), 1e-12)
    settings: dict[str, Any] = {
        "init": start.astype(np.float32),
        "perplexity": min(PERPLEXITY, (len(points) - 1) / 3.0),
    }
    model = TSNE(2, random_state=seed, max_iter=500, **settings)
    return np.asarray(model.fit_transform(points.astype(np.float32)), np.float64)


def _principal_components(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first two principal components of centred points, `(N, 2)`, with fixed signs; zeros without any."""
    flat = np.zeros((len(points), 2))
    axes = np.linalg.svd(points, full_matrices=False)[2][:2]
    for column, axis in enumerate(axes):
        along = points @ axis
        flat[:, column] = along if axis[np.abs(axis).argmax()] > 0 else -along
    return flat


def _scale_to_unit(positions: NDArray[np.float64]) -> NDArray[np.float32]:
    low, high = positions.min(axis=0), positions.max(axis=0)
    width = high - low
    share = np.divide(positions - low, width, out=np.full_like(positions, 0.5), where=width > 1e-9)
    return (MARGIN + (1.0 - 2.0 * MARGIN) * share).astype(np.float32)
