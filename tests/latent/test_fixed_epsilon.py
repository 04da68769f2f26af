"""Fixed-epsilon codes, equation 1, against their definition; validation of codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from modiste.errors import BadCode
from modiste.latent.fixed_epsilon import check_code, fixed_epsilon_code
from tests.latent.posteriors import catalogues


@given(catalogues())
def test_fixed_epsilon_uses_the_deviation_not_the_variance(case: tuple[np.ndarray, ...]) -> None:
    codes, mean, std = case
    epsilon = codes[0]
    code = fixed_epsilon_code(mean, std, epsilon)
    assert code.dtype == np.float32
    np.testing.assert_array_equal(code, mean + std * epsilon)
    np.testing.assert_array_equal(code[0], fixed_epsilon_code(mean[0], std[0], epsilon))


def test_fixed_epsilon_code_equals_a_known_value() -> None:
    np.testing.assert_allclose(fixed_epsilon_code([1.0], [0.5], [2.0]), [2.0])  # variance would give 1.5


def test_fixed_epsilon_rejects_other_shapes() -> None:
    with pytest.raises(BadCode, match="epsilon"):
        fixed_epsilon_code(np.zeros((4, 3)), np.ones((4, 3)), np.zeros(4))


def test_check_code_accepts_codes_and_batches() -> None:
    assert check_code([1, 2, 3], 3).dtype == np.float32
    assert check_code(np.zeros((5, 3)), 3).shape == (5, 3)


@pytest.mark.parametrize(
    "bad",
    [
        [1.0, 2.0],
        [[[1.0, 2.0, 3.0]]],
        5.0,
        [1.0, float("nan"), 0.0],
        [1.0, float("inf"), 0.0],
        [1e300, 0.0, 0.0],
        ["a", "b", "c"],
        [True, False, True],
        [1j, 0, 0],
        [[1.0, 2.0, 3.0], [1.0]],
        None,
    ],
)
def test_check_code_rejects_invalid_codes(bad: object) -> None:
    with pytest.raises(BadCode) as caught:
        check_code(bad, 3)  # type: ignore[arg-type]
    assert "3" in caught.value.remedy
