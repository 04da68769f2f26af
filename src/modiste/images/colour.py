"""Perceptual colour: sRGB, CIE Lab (D65) and CIEDE2000."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# IEC 61966-2-1 (sRGB) to CIE XYZ, each row divided by the white point's share.
_WHITE_POINT = np.array([0.95047, 1.0, 1.08883])
_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_LAB_THRESHOLD = 6.0 / 29.0


def rgb_to_lab(rgb: ArrayLike) -> NDArray[np.float64]:
    """Convert sRGB from 0 to 255, `(…, 3)`, to Lab: lightness 0 to 100, green to red and blue to yellow around 0."""
    share = np.asarray(rgb, np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _RGB_TO_XYZ.T / _WHITE_POINT
    root = np.where(xyz > _LAB_THRESHOLD**3, np.cbrt(xyz), xyz / (3.0 * _LAB_THRESHOLD**2) + 4.0 / 29.0)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def lab_to_rgb(lab: ArrayLike) -> NDArray[np.uint8]:
    """Convert Lab to sRGB, uint8 `(…, 3)`; colours that a screen cannot show become the nearest that it can."""
    lightness, a, b = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    y = (lightness + 16.0) / 116.0
    root = np.stack([y + a / 500.0, y, y - b / 200.0], axis=-1)
    xyz = np.where(root > _LAB_THRESHOLD, root**3, 3.0 * _LAB_THRESHOLD**2 * (root - 4.0 / 29.0)) * _WHITE_POINT
    linear = np.clip(xyz @ np.linalg.inv(_RGB_TO_XYZ).T, 0.0, 1.0)
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
    return np.rint(255.0 * share).astype(np.uint8)


def to_hex(rgb: ArrayLike) -> str:
    """Format one colour, uint8 `(3,)`, as "#rrggbb"."""
    red, green, blue = (int(value) for value in np.asarray(rgb, np.uint8))
    return f"#{red:02x}{green:02x}{blue:02x}"


def ciede2000(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the CIEDE2000 difference of Lab colours, `(…)` for `(…, 3)` each; 1 is about what the eye just sees.

    All three weights are 1. After Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula".
    """
    l1, a1, b1 = np.moveaxis(np.asarray(first, np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, np.float64), -1, 0)
    stretch = 1.0 + 0.5 * (1.0 - _chroma_weight(0.5 * (np.hypot(a1, b1) + np.hypot(a2, b2))))
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360.0, np.degrees(np.arctan2(b2, a2)) % 360.0
    grey = c1 * c2 == 0.0  # a grey has no hue, so the hues do not differ
    turn = np.where(grey, 0.0, (h2 - h1 + 180.0) % 360.0 - 180.0)
    turn = np.where(turn == -180.0, np.where(h2 > h1, 180.0, -180.0), turn)
    lightness, chroma = 0.5 * (l1 + l2), 0.5 * (c1 + c2)
    hue = np.where(grey, h1 + h2, 0.5 * (h1 + h2))
    wraps = ~grey & (np.abs(h1 - h2) > 180.0)
    hue = np.where(wraps, np.where(h1 + h2 < 360.0, hue + 180.0, hue - 180.0), hue)
    by_hue = (
        1.0
        - 0.17 * _cosine(hue - 30.0)
        + 0.24 * _cosine(2.0 * hue)
        + 0.32 * _cosine(3.0 * hue + 6.0)
        - 0.20 * _cosine(4.0 * hue - 63.0)
    )
    light = (l2 - l1) / (1.0 + 0.015 * (lightness - 50.0) ** 2 / np.sqrt(20.0 + (lightness - 50.0) ** 2))
    vivid = (c2 - c1) / (1.0 + 0.045 * chroma)
    tint = 2.0 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2.0) / (1.0 + 0.015 * chroma * by_hue)
    blue = 30.0 * np.exp(-(((hue - 275.0) / 25.0) ** 2))
    rotation = -2.0 * _chroma_weight(chroma) * np.sin(np.radians(2.0 * blue))
    return np.sqrt(light**2 + vivid**2 + tint**2 + rotation * vivid * tint)


def _chroma_weight(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def _cosine(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cos(np.radians(degrees))
