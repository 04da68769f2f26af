"""Names of the latents of a toy model."""

from __future__ import annotations

import numpy as np

from modiste.latent.slider_names import (
    DEFAULT_ENDS,
    choose_names,
    kl_per_latent,
    name_latents,
    order_by_kl,
    slider_ranges,
)
from tests.latent.toy import draw, posteriors


def test_latents_are_ordered_by_kl() -> None:
    mean, std = posteriors()
    assert order_by_kl(mean, std).tolist() == [0, 1, 2, 3]
    assert kl_per_latent(mean, std)[3] < 0.01
    np.testing.assert_allclose(kl_per_latent(np.zeros((3, 2)), np.ones((3, 2))), 0)


def test_slider_ranges_are_percentiles() -> None:
    means = np.linspace(0, 100, 101, dtype=np.float32)[:, None] * np.float32([1, -2])
    np.testing.assert_allclose(slider_ranges(means), [[1, 99], [-198, -2]])


def test_latents_are_named_by_their_effect() -> None:
    sliders = name_latents(draw, *posteriors())
    assert [slider.name for slider in sliders][:3] == ["lighter ↔ darker", "shorter ↔ taller", "narrower ↔ wider"]
    assert (sliders[3].name, sliders[3].is_idle) == ("less ↔ more", True)
    assert sliders[1].effects["height"] > 1.0 > abs(sliders[1].effects["lightness"])
    assert sliders[0].minimum < 0 < sliders[0].maximum


def test_strongest_effect_is_named_first_and_names_are_unique() -> None:
    effects = [
        {"lightness": 1.0, "height": 0.2},
        {"lightness": -2.0, "height": 0.6},
        {"lightness": 0.9, "width": -0.7},
        {"lightness": 0.3},
        {"lightness": 0.1},
    ]
    nothing = (0.0, DEFAULT_ENDS)
    names = choose_names(effects, [nothing] * 5)
    assert names == [
        ("darker, shorter", "lighter, taller"),
        ("lighter", "darker"),
        ("wider", "narrower"),
        DEFAULT_ENDS,
        DEFAULT_ENDS,
    ]


def test_kinds_name_a_latent_without_clear_effects() -> None:
    names = choose_names([{"lightness": 0.1}, {"height": 0.9}], [(0.4, ("flats", "boots")), (0.4, ("a", "b"))])
    assert names == [("flats", "boots"), ("shorter", "taller")]


def test_kinds_are_taken_from_the_products_near_each_end() -> None:
    mean, std = posteriors()
    kinds = {"kind": ["low" if value < 0 else "high" for value in mean[:, 3].tolist()], "none": [None] * len(mean)}

    def nearest(codes: np.ndarray) -> np.ndarray:
        return np.argsort(np.abs(codes[:, 3:] - mean[:, 3]), axis=1)[:, :5]

    sliders = name_latents(draw, mean, std, kinds=kinds, nearest=nearest)
    assert sliders[3].name == "low ↔ high"
