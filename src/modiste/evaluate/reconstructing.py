"""What the model draws of photos that it was not trained on, and what principal components draw of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate import baselines
from modiste.evaluate.drawing import StepSums, laplacian_variance, psnr, squared_error
from modiste.evaluate.intervals import Tree
from modiste.evaluate.questions import Questions
from modiste.shop.shop import Shop

MOST_DRAWN = 2000  # held-out photos to reconstruct


def reconstructions(
    shop: Shop, questions: Questions, components: baselines.Components, seed: int
) -> tuple[tuple[Tree, Tree], tuple[Tree, Tree]]:
    """For the model and for PCA: PSNR, squared error and sharpness per photo; and the mosaic over all photos.

    `sharpness` is each drawing's Laplacian variance over the mean of the photos', so that its mean is the ratio of the
    means.
    """
    drawers = (_Drawer(shop.frame), _Drawer(shop.frame))
    real: list[NDArray[np.float64]] = []
    if questions.jpegs is not None:
        batches = baselines.decode_batches(questions.jpegs)
        means_of = questions.posterior.mean
    else:
        ids = held_out(shop, seed)
        batches = baselines.read_photos(shop, ids)
        means_of = shop.encodings.mean[shop.catalogue.rows(ids)]
    start = 0
    for photos in batches:
        drawn = shop.decode(means_of[start : start + len(photos)])
        start += len(photos)
        real.append(laplacian_variance(photos))
        drawers[0].add(photos, drawn)
        drawers[1].add(photos, components.draw(components.project(photos), shop.frame))
    crisp = np.concatenate([np.empty(0), *real])
    ours, theirs = (drawer.measured(float(crisp.mean()) if len(crisp) else 0.0) for drawer in drawers)
    return ours, theirs


def held_out(shop: Shop, seed: int, most: int = MOST_DRAWN) -> list[str]:
    """Products that the model was never trained on, at most `most`, drawn by `seed`; in the order of their ids."""
    known = set(shop.catalogue.ids)
    ids = sorted(each for each in shop.model.validation_ids if each in known)
    if len(ids) <= most:
        return ids
    chosen = np.random.default_rng([seed, 7]).choice(len(ids), most, replace=False)
    return [ids[row] for row in np.sort(chosen)]


class _Drawer:
    def __init__(self, frame: tuple[int, int]) -> None:
        self._errors: list[NDArray[np.float64]] = []
        self._crisp: list[NDArray[np.float64]] = []
        self._steps = StepSums(frame)

    def add(self, photos: NDArray[np.uint8], drawn: NDArray[Any]) -> None:
        self._errors.append(squared_error(photos, drawn))
        self._crisp.append(laplacian_variance(drawn))
        self._steps.add(drawn)

    def measured(self, crisp: float) -> tuple[Tree, Tree]:
        errors, own = (np.concatenate([np.empty(0), *parts]) for parts in (self._errors, self._crisp))
        sharpness = own / crisp if crisp > 0 else np.full(len(own), np.nan)
        tree = {"psnr": psnr(errors), "mse": errors, "sharpness": sharpness}
        return tree, {"mosaic": self._steps.mosaic()}
