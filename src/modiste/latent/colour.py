"""Colours as the eye tells them apart: between sRGB and CIE Lab (D65)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# IEC 61966-2-1 (sRGB) to CIE XYZ, each row divided by the white point's share.
_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_LOW = 6.0 / 29.0


def rgb_to_lab(rgb: ArrayLike) -> NDArray[np.float64]:
    """Lab of sRGB from 0 to 255, `(…, 3)`: lightness 0 to 100, then green to red and blue to yellow around 0."""
    share = np.asarray(rgb, np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    root = np.where(xyz > _LOW**3, np.cbrt(xyz), xyz / (3.0 * _LOW**2) + 4.0 / 29.0)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def lab_to_rgb(lab: ArrayLike) -> NDArray[np.uint8]:
    """sRGB, uint8 `(…, 3)`, of Lab; colours that a screen cannot show become the nearest that it can."""
    lightness, a, b = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    y = (lightness + 16.0) / 116.0
    root = np.stack([y + a / 500.0, y, y - b / 200.0], axis=-1)
    xyz = np.where(root > _LOW, root**3, 3.0 * _LOW**2 * (root - 4.0 / 29.0)) * _WHITE
    linear = np.clip(xyz @ np.linalg.inv(_TO_XYZ).T, 0.0, 1.0)
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
    return np.rint(255.0 * share).astype(np.uint8)


def to_hex(rgb: ArrayLike) -> str:
    """ "#rrggbb" of one colour, uint8 `(3,)`."""
    red, green, blue = (int(value) for value in np.asarray(rgb, np.uint8))
    return f"#{red:02x}{green:02x}{blue:02x}"
