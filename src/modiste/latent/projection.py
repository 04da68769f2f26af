"""Codes laid out on a plane, those that are alike beside each other: the map of a catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_TSNE_CODES = 20_000  # codes that t-SNE lays out itself; its time grows faster than their number
MIN_TSNE_CODES = 50  # below this there are no neighbourhoods to keep: the two widest directions say more
PERPLEXITY = 30.0
NEIGHBOURS = 5
MARGIN = 0.02
BATCH_ROWS = 32  # codes at once, so that their distances to all FITTED stay in the cache


def project_2d(codes: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Positions from 0 to 1, float32 `(N, 2)`, for codes `(N, n)`: t-SNE (scikit-learn) from a PCA start.

    Above FITTED codes, so many of them are laid out and the others placed between their nearest. Below FEW it is the
    PCA. Codes that are the same may lie at slightly different places. The same for a seed.
    """
    count = len(codes)
    if count <= MAX_TSNE_CODES:
        return _scale_to_unit(_fit_tsne(codes, seed))
    chosen = np.sort(np.random.default_rng(seed).choice(count, MAX_TSNE_CODES, replace=False))
    known, placed = codes[chosen], _fit_tsne(codes[chosen], seed)
    positions = np.empty((count, 2))
    others = np.setdiff1d(np.arange(count), chosen)
    positions[chosen] = placed
    positions[others] = place(codes[others], known, placed)
    return _scale_to_unit(positions)


def place(
    codes: NDArray[np.float32], known: NDArray[np.float32], positions: NDArray[Any]
) -> NDArray[np.float64]:
    """Return positions `(b, 2)` for codes `(b, n)`: each between those of its NEIGHBOURS nearest known codes.

    Args:
        known: codes that have positions, `(F, n)`; at least one. More than FITTED are thinned out evenly, unless only
            a few codes are to be placed.
        positions: of the known codes, `(F, 2)`.
    """
    if len(codes) > BATCH_ROWS and len(known) > MAX_TSNE_CODES:
        some = np.linspace(0, len(known) - 1, MAX_TSNE_CODES).astype(np.intp)
        known, positions = known[some], positions[some]
    columns = np.ascontiguousarray(known.T)
    halves = (np.square(known, dtype=np.float64).sum(axis=1) / 2.0).astype(np.float32)
    found = np.empty((len(codes), 2))
    for start in range(0, len(codes), BATCH_ROWS):
        some = slice(start, start + BATCH_ROWS)
        near = _nearest_known(codes[some], columns, halves)
        gaps = np.linalg.norm(codes[some, None].astype(np.float64) - known[near], axis=2)
        found[some] = interpolate_position(positions[near], gaps)
    return found


def _nearest_known(
    codes: NDArray[np.float32], columns: NDArray[np.float32], halves: NDArray[np.float32]
) -> NDArray[np.intp]:
    """The NEIGHBOURS known codes nearest to each of some, `(b, NEIGHBOURS)`.

    `columns` `(n, F)` are the known, and `halves` `(F,)` half their squared lengths k: |c − k|² / 2 is k²/2 − c·k, and
    what is the same for all. A few passes for the least are far quicker than a partition.
    """
    gaps = halves - codes @ columns
    neighbours = min(NEIGHBOURS, columns.shape[1])
    rows, near = np.arange(len(codes)), np.empty((len(codes), neighbours), np.intp)
    for rank in range(neighbours):
        near[:, rank] = gaps.argmin(axis=1)
        gaps[rows, near[:, rank]] = np.inf
    return near


def interpolate_position(positions: NDArray[Any], distances: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of neighbours' positions `(…, k, 2)`, weighted by 1/distance⁴: `(…, 2)`.

    The fourth power keeps a code near its nearest neighbours, where the plane has torn the others apart; at a
    distance of 0 the answer is that neighbour's position.
    """
    gaps = np.asarray(distances, np.float64)
    nearest = gaps.min(axis=-1, keepdims=True)
    # Relative to the nearest, so that nothing overflows; where that is 0, only those at 0 count.
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
    """The two widest directions of centred points, `(N, 2)`, their signs fixed; zeros where there are none."""
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
