"""Designs as base64url text, one byte per latent. design-codec.js is the same in JavaScript."""

from __future__ import annotations

import base64
import re

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCode

MAX_LEVEL = 255
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


def dequantise(data: bytes, ranges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the code of `n` bytes, float32 `(n,)`: minimum + byte / 255 · (maximum − minimum).

    Raises BadCode if `data` does not have `n` bytes.
    """
    if len(data) != len(ranges):
        raise BadCode(f"A design has {len(ranges)} bytes, not {len(data)}.", remedy=_remedy(len(ranges)))
    share = np.frombuffer(data, np.uint8).astype(np.float32) / np.float32(MAX_LEVEL)
    low, high = ranges.astype(np.float32, copy=False).T
    return np.asarray(low + share * (high - low), np.float32)


def to_base64url(data: bytes) -> str:
    """Encode bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str, count: int) -> bytes:
    """Decode the `count` bytes that `to_base64url` encoded. Only one text is valid per design, so it has one URL.

    Raises:
        BadCode: other characters, another length, or non-zero unused bits.
    """
    if len(text) == -(-count * 8 // 6) and _ALPHABET.fullmatch(text):
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if to_base64url(data) == text:
            return data
    raise BadCode(f"The design {text[:80]!r} is not {count} bytes of base64url.", remedy=_remedy(count))


def _remedy(count: int) -> str:
    return f"Write {count} bytes, one per latent, as base64url without padding."
