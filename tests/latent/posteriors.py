"""Hypothesis strategies for posteriors and codes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

latents = st.integers(1, 12)
values = st.floats(-8, 8, width=32)
spreads = st.floats(0.0009765625, 8, width=32)  # 2⁻¹⁰


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a batch of codes, and the means and standard deviations of some products."""
    n, rows, b = draw(latents), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    return (
        draw(arrays(np.float32, (b, n), elements=values)),
        draw(arrays(np.float32, (rows, n), elements=values)),
        draw(arrays(np.float32, (rows, n), elements=spreads)),
    )
