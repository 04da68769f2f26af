"""Attribute directions of a toy model with known latents."""

from __future__ import annotations

import numpy as np

from modiste.images.measurements import measure_photos
from modiste.latent.attribute_directions import attribute_directions
from modiste.latent.slider_checks import DirectionCheck, measure_slopes
from tests.latent.toy import draw, posteriors


def test_direction_changes_its_attribute_only() -> None:
    random = np.random.default_rng(1)
    codes = random.normal(size=(800, 6)).astype(np.float32)
    turn, _ = np.linalg.qr(random.normal(size=(6, 6)))
    true = codes @ turn
    attributes = {
        "height": (3 * true[:, 0] + 0.1 * random.normal(size=800)).tolist(),
        "heel": [None if i % 7 == 0 else float(value) for i, value in enumerate(true[:, 1] + 0.5 * true[:, 0])],
        "colour": ["red" if value > 0 else "blue" for value in true[:, 2]],
        "strap": [bool(value > 0.3) for value in true[:, 3]],
        "noise": random.normal(size=800).tolist(),
        "always": [1.0] * 800,
        "name": [f"product {i}" for i in range(800)],
    }
    sliders = attribute_directions(codes, attributes)
    assert {slider.name for slider in sliders} == {"height", "heel", "colour: red", "strap: True"}
    basis = np.array([slider.direction for slider in sliders])
    np.testing.assert_allclose(basis @ basis.T, np.eye(4), atol=1e-9)
    by_name = {slider.attribute: np.array(slider.direction) @ turn for slider in sliders}
    assert by_name["heel"][1] + 0.5 * by_name["heel"][0] > 0.5
    assert by_name["height"][0] > 0.8
    assert by_name["colour"][2] > 0.95
    assert by_name["strap"][3] > 0.95
    assert abs(by_name["strap"][:3]).max() < 0.25
    shares = [slider.share for slider in sliders]
    assert shares == sorted(shares, reverse=True)
    assert all(0.1 <= share <= 1 for share in shares)


def test_redundant_attribute_is_left_out() -> None:
    codes = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    twice = {"a": codes[:, 0].tolist(), "b": (2 * codes[:, 0]).tolist()}
    assert [slider.attribute for slider in attribute_directions(codes, twice)] == ["a"]


def test_too_few_rows_give_no_direction() -> None:
    assert attribute_directions(np.zeros((10, 3), np.float32), {"a": list(range(10))}) == ()


def test_direction_changes_the_picture() -> None:
    codes, _ = posteriors()
    heights = measure_photos(draw(codes))["height"].tolist()
    (slider,) = attribute_directions(codes, {"height": heights})
    codes_along = np.linspace(slider.minimum, slider.maximum, 7)[:, None] * np.array(slider.direction)
    measured = measure_photos(draw(codes_along.astype(np.float32)))
    assert (np.diff(measured["height"]) >= 0).all()
    assert np.ptp(measured["height"]) > 0.3
    assert np.ptp(measured["lightness"]) < 0.05


def test_slopes_measure_the_effect_of_each_latent() -> None:
    mean, _ = posteriors()
    slopes = measure_slopes(draw, mean, rounds=8)
    assert np.abs(slopes["lightness"]).argmax() == 0
    assert slopes["lightness"][0] < 0
    assert slopes["height"].argmax() == 1
    assert slopes["width"].argmax() == 2


def test_directions_are_separated_where_attributes_correlate() -> None:
    mean, _ = posteriors()
    mean[:, 2] = 0.8 * mean[:, 1] + 0.3 * mean[:, 2]  # what is tall is wide, in this catalogue
    measured = {
        name: values.tolist() for name, values in measure_photos(draw(mean)).items() if name in ("height", "width")
    }
    slopes = measure_slopes(draw, mean, rounds=8)
    check = DirectionCheck(draw, lambda codes: np.zeros((len(codes), 1), np.intp), mean, mean, measured, slopes)
    directions = {
        slider.attribute: np.array(slider.direction)
        for slider in attribute_directions(mean, measured, slopes=slopes, find_worst=check.find_worst)
    }
    assert directions["height"][1] > 0.95
    assert directions["width"][2] > 0.95


def test_direction_without_effect_is_left_out() -> None:
    mean, _ = posteriors()
    mean[:, 3] *= 100
    attributes = {"height": measure_photos(draw(mean))["height"].tolist(), "weight": mean[:, 3].tolist()}
    slopes = measure_slopes(draw, mean, rounds=8)
    # Only the first product is near any code, so the result is its weight for every direction.
    check = DirectionCheck(draw, lambda codes: np.zeros((len(codes), 1), np.intp), mean, mean, attributes, slopes)
    assert {slider.attribute for slider in attribute_directions(mean, attributes, slopes=slopes)} == {
        "height",
        "weight",
    }
    sliders = attribute_directions(mean, attributes, slopes=slopes, find_worst=check.find_worst)
    assert {slider.attribute for slider in sliders} == {"height"}


def test_number_of_directions_is_limited() -> None:
    mean, _ = posteriors()
    three = {str(latent): mean[:, latent].tolist() for latent in range(3)}
    assert len(attribute_directions(mean, three, max_directions=2)) == 2
    assert attribute_directions(mean, {}) == ()
