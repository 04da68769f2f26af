"""Constants that the block layout and the kernels share."""

from __future__ import annotations

import numpy as np

LANES = 128  # products in a block
LIKELIHOOD, EUCLIDEAN, MANHATTAN = 0, 1, 2
ALWAYS_CANDIDATE = np.float32(3e38)  # the nearness of what float32 cannot score: it is always a candidate
