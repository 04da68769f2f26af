"""Toy model with known latents: it draws a box."""

from __future__ import annotations

import numpy as np


def draw(codes: np.ndarray) -> np.ndarray:
    """Draw boxes: latent 0 is darkness, 1 height, 2 width; 3 has no effect."""
    photos = np.full((len(codes), 60, 40, 3), 255, np.uint8)
    for photo, code in zip(photos, np.clip(codes, -3, 3), strict=True):
        height, width = int(24 + 6 * code[1]), int(16 + 4 * code[2])
        photo[30 - height // 2 : 30 + height - height // 2, 20 - width // 2 : 20 + width - width // 2] = int(
            110 - 30 * code[0]
        )
    return photos


def posteriors(rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    mean = random.normal(size=(rows, 4)) * [1.0, 0.9, 0.8, 0.01]
    return mean.astype(np.float32), np.tile(np.float32([0.1, 0.2, 0.3, 1.0]), (rows, 1))
