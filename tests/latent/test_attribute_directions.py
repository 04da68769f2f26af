"""Directions of a toy model whose latents are known."""

from __future__ import annotations

import numpy as np

from modiste.images.measurements import measure_photos
from modiste.latent.attribute_directions import attribute_directions
from modiste.latent.slider_checks import DirectionCheck, measure_slopes
from tests.latent.toy import draw, posteriors


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
    tall = measure_photos(draw(codes))["height"].tolist()
    (slider,) = attribute_directions(codes, {"height": tall})
    way = np.linspace(slider.minimum, slider.maximum, 7)[:, None] * np.array(slider.direction)
    drawn = measure_photos(draw(way.astype(np.float32)))
    assert (np.diff(drawn["height"]) >= 0).all()
    assert np.ptp(drawn["height"]) > 0.3
    assert np.ptp(drawn["lightness"]) < 0.05


def test_the_decoder_s_slopes_are_found() -> None:
    mean, _ = posteriors()
    slopes = measure_slopes(draw, mean, rounds=8)
    assert np.abs(slopes["lightness"]).argmax() == 0
    assert slopes["lightness"][0] < 0
    assert slopes["height"].argmax() == 1
    assert slopes["width"].argmax() == 2


def test_directions_are_apart_on_the_picture_where_the_catalogue_mixes_them() -> None:
    mean, _ = posteriors()
    mean[:, 2] = 0.8 * mean[:, 1] + 0.3 * mean[:, 2]  # what is tall is wide, in this catalogue
    measured = {
        name: values.tolist()
        for name, values in measure_photos(draw(mean)).items()
        if name in ("height", "width")
    }
    slopes = measure_slopes(draw, mean, rounds=8)
    judge = DirectionCheck(
        draw, lambda codes: np.zeros((len(codes), 1), np.intp), mean, mean, measured, slopes
    )
    found = {
        each.attribute: np.array(each.direction)
        for each in attribute_directions(mean, measured, slopes=slopes, find_worst=judge.find_worst)
    }
    assert found["height"][1] > 0.95
    assert found["width"][2] > 0.95


def test_a_direction_that_moves_nothing_is_left_out() -> None:
    mean, _ = posteriors()
    mean[:, 3] *= 100
    told = {"height": measure_photos(draw(mean))["height"].tolist(), "weight": mean[:, 3].tolist()}
    slopes = measure_slopes(draw, mean, rounds=8)
    # Near any code lies the first product only: whatever the direction, its weight is what is found.
    judge = DirectionCheck(draw, lambda codes: np.zeros((len(codes), 1), np.intp), mean, mean, told, slopes)
    assert {each.attribute for each in attribute_directions(mean, told, slopes=slopes)} == {
        "height",
        "weight",
    }
    kept = attribute_directions(mean, told, slopes=slopes, find_worst=judge.find_worst)
    assert {each.attribute for each in kept} == {"height"}


def test_no_more_directions_than_asked_and_none_from_nothing() -> None:
    mean, _ = posteriors()
    three = {str(latent): mean[:, latent].tolist() for latent in range(3)}
    assert len(attribute_directions(mean, three, max_directions=2)) == 2
    assert attribute_directions(mean, {}) == ()
