"""Hub scores of products."""

from __future__ import annotations

import numpy as np

from modiste.latent.hub_score import hub_score


def test_hub_score_is_the_mean_of_the_best_scores() -> None:
    scores = np.array([[1.0, 5.0], [3.0, 4.0], [2.0, 0.0]])
    assert hub_score(scores, 2).tolist() == [2.5, 4.5]
    assert hub_score(scores, 9).tolist() == [2.0, 3.0]
    assert hub_score(np.empty((0, 2)), 3).tolist() == [0.0, 0.0]
