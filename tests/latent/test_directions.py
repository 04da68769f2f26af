"""Latents and directions of a toy model whose latents are known: it draws a box."""

from __future__ import annotations

import numpy as np

from modiste.latent.directions import (
    attribute_directions,
    kl_per_latent,
    name_latents,
    order_by_kl,
    slider_ranges,
)
from modiste.latent.measures import measures


def draw(codes: np.ndarray) -> np.ndarray:
    """Latent 0 is how dark, 1 how tall, 2 how wide; 3 does nothing."""
    photos = np.full((len(codes), 60, 40, 3), 255, np.uint8)
    for photo, code in zip(photos, np.clip(codes, -3, 3), strict=True):
        tall, wide = int(24 + 6 * code[1]), int(16 + 4 * code[2])
        photo[30 - tall // 2 : 30 + tall - tall // 2, 20 - wide // 2 : 20 + wide - wide // 2] = int(
            110 - 30 * code[0]
        )
    return photos


def posteriors(rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    mean = random.normal(size=(rows, 4)) * [1.0, 0.9, 0.8, 0.01]
    return mean.astype(np.float32), np.tile(np.float32([0.1, 0.2, 0.3, 1.0]), (rows, 1))


def test_kl_says_what_matters() -> None:
    mean, std = posteriors()
    assert order_by_kl(mean, std).tolist() == [0, 1, 2, 3]
    assert kl_per_latent(mean, std)[3] < 0.01
    np.testing.assert_allclose(kl_per_latent(np.zeros((3, 2)), np.ones((3, 2))), 0)


def test_ranges_are_percentiles() -> None:
    means = np.linspace(0, 100, 101, dtype=np.float32)[:, None] * np.float32([1, -2])
    np.testing.assert_allclose(slider_ranges(means), [[1, 99], [-198, -2]])


def test_latents_are_named_by_what_they_do() -> None:
    sliders = name_latents(draw, *posteriors())
    assert [each.name for each in sliders][:3] == [
        "lighter ↔ darker",
        "shorter ↔ taller",
        "narrower ↔ wider",
    ]
    assert (sliders[3].name, sliders[3].idle) == ("less ↔ more", True)
    assert sliders[1].effects["height"] > 1.0 > abs(sliders[1].effects["lightness"])
    assert sliders[0].minimum < 0 < sliders[0].maximum


def test_directions_move_their_attribute_and_leave_the_others() -> None:
    random = np.random.default_rng(1)
    codes = random.normal(size=(800, 6)).astype(np.float32)
    turn, _ = np.linalg.qr(random.normal(size=(6, 6)))
    true = codes @ turn
    attributes = {
        "height": (3 * true[:, 0] + 0.1 * random.normal(size=800)).tolist(),
        "heel": [
            None if i % 7 == 0 else float(value) for i, value in enumerate(true[:, 1] + 0.5 * true[:, 0])
        ],
        "colour": ["red" if value > 0 else "blue" for value in true[:, 2]],
        "strap": [bool(value > 0.3) for value in true[:, 3]],
        "noise": random.normal(size=800).tolist(),
        "always": [1.0] * 800,
        "name": [f"product {i}" for i in range(800)],
    }
    found = attribute_directions(codes, attributes)
    assert {each.name for each in found} == {"height", "heel", "colour: red", "strap: True"}
    basis = np.array([each.direction for each in found])
    np.testing.assert_allclose(basis @ basis.T, np.eye(4), atol=1e-9)
    by_name = {each.attribute: np.array(each.direction) @ turn for each in found}
    assert by_name["heel"][1] + 0.5 * by_name["heel"][0] > 0.5
    assert by_name["height"][0] > 0.8
    assert by_name["colour"][2] > 0.95
    assert by_name["strap"][3] > 0.95
    assert abs(by_name["strap"][:3]).max() < 0.25
    shares = [each.share for each in found]
    assert shares == sorted(shares, reverse=True)
    assert all(0.1 <= share <= 1 for share in shares)


def test_an_attribute_that_another_explains_is_left_out() -> None:
    codes = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    twice = {"a": codes[:, 0].tolist(), "b": (2 * codes[:, 0]).tolist()}
    assert [each.attribute for each in attribute_directions(codes, twice)] == ["a"]


def test_too_few_rows_give_none() -> None:
    assert attribute_directions(np.zeros((10, 3), np.float32), {"a": list(range(10))}) == ()


def test_a_direction_moves_the_picture() -> None:
    codes, _ = posteriors()
    tall = measures(draw(codes))["height"].tolist()
    (slider,) = attribute_directions(codes, {"height": tall})
    way = np.linspace(slider.minimum, slider.maximum, 7)[:, None] * np.array(slider.direction)
    drawn = measures(draw(way.astype(np.float32)))
    assert (np.diff(drawn["height"]) >= 0).all()
    assert np.ptp(drawn["height"]) > 0.3
    assert np.ptp(drawn["lightness"]) < 0.05
