"""A few synthetic photos, small enough to train on in seconds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw


def drawn_photos(count: int, height: int, width: int) -> list[bytes]:
    """Return JPEGs of coloured ellipses and boxes on white."""
    rng = np.random.default_rng(0)
    photos: list[bytes] = []
    for _ in range(count):
        image = Image.new("RGB", (width, height), (255, 255, 255))
        colour = tuple(int(v) for v in rng.integers(0, 200, 3))
        w, h = rng.uniform(0.3, 0.8, 2) * (width, height)
        box = ((width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2)
        draw = ImageDraw.Draw(image)
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(box, fill=colour)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=92)
        photos.append(file.getvalue())
    return photos


@pytest.fixture(scope="session")
def photos() -> list[bytes]:
    return drawn_photos(64, 48, 36)


@pytest.fixture(scope="session")
def ids() -> list[str]:
    return [f"p{number}" for number in range(64)]
