"""Schema of sliders.json: round trip, validation and ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.errors import SchemaError
from modiste.latent.sliders import AttributeSlider, LatentSlider, Sliders, hash_ranges

words = st.text(min_size=1, max_size=12)
numbers = st.floats(-1e6, 1e6)
latent = st.builds(
    LatentSlider,
    st.just(0),
    words,
    words,
    st.floats(-9, -1),
    st.floats(-1, 9),
    numbers,
    st.dictionaries(words, numbers, max_size=3),
)
attribute = st.builds(
    AttributeSlider, words, st.none() | words, st.just((1.0,)), st.floats(-9, -1), st.floats(-1, 9), numbers
)


@given(words, latent, st.lists(attribute, max_size=3))
def test_round_trip(model_id: str, latent_slider: LatentSlider, attribute_sliders: list[AttributeSlider]) -> None:
    sliders = Sliders(model_id, (latent_slider,), tuple(attribute_sliders))
    assert Sliders.from_dict(json.loads(json.dumps(sliders.to_dict()))) == sliders


def valid_sliders_json() -> dict[str, Any]:
    sliders = Sliders(
        "m",
        (
            LatentSlider(1, "darker", "lighter", -2, 2, 1.5, {"hue": 3.0}),
            LatentSlider(0, "less", "more", -1, 1, 0.01, {}),
        ),
        (
            AttributeSlider("base_colour", "red", (0.6, 0.8), -3, 3, 0.5),
            AttributeSlider("heel", None, (1, 0), 0, 1, 0.2),
        ),
    )
    return json.loads(json.dumps(sliders.to_dict()))


def test_slider_names_join_both_ends() -> None:
    sliders = Sliders.from_dict(valid_sliders_json())
    assert [slider.name for slider in sliders.latents] == ["darker ↔ lighter", "less ↔ more"]
    assert [slider.is_idle for slider in sliders.latents] == [False, True]
    assert [slider.name for slider in sliders.attributes] == ["base_colour: red", "heel"]


DAMAGE: list[Callable[[dict[str, Any]], object]] = [
    lambda raw: raw.update(schema=2),
    lambda raw: raw.update(model_id=""),
    lambda raw: raw.update(latents={}),
    lambda raw: raw.update(latents=[]),
    lambda raw: raw["latents"].pop(),
    lambda raw: raw["latents"].append(3),
    lambda raw: raw["latents"][0].update(latent=0),
    lambda raw: raw["latents"][0].update(latent="1"),
    lambda raw: raw["latents"][0].update(low=None),
    lambda raw: raw["latents"][0].update(minimum=3),
    lambda raw: raw["latents"][0].update(maximum=float("nan")),
    lambda raw: raw["latents"][0].update(kl=True),
    lambda raw: raw["latents"][0].update(kl=10**400),
    lambda raw: raw["latents"][0].update(maximum=1e300),
    lambda raw: raw["latents"][0].update(effects={"hue": "red"}),
    lambda raw: raw.pop("attributes"),
    lambda raw: raw["attributes"][0].update(direction=[1.0]),
    lambda raw: raw["attributes"][0].update(direction=[1.0, 1.0]),
    lambda raw: raw["attributes"][0].update(direction=[None, 1.0]),
    lambda raw: raw["attributes"][0].update(direction=None),
    lambda raw: raw["attributes"][0].update(value=4),
    lambda raw: raw["attributes"][0].pop("share"),
    lambda raw: raw.update(ranges_id=5),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_json_raises_schema_error(damage: Callable[[dict[str, Any]], object]) -> None:
    raw = valid_sliders_json()
    damage(raw)
    with pytest.raises(SchemaError) as caught:
        Sliders.from_dict(raw)
    assert "modiste sliders" in caught.value.remedy


def test_json_without_an_object_raises_schema_error() -> None:
    with pytest.raises(SchemaError):
        Sliders.from_dict([])


def test_render_id_is_the_model_id_until_a_range_changes() -> None:
    raw = valid_sliders_json()
    first = Sliders.from_dict(raw)
    assert first.ranges.dtype == np.float32
    assert first.ranges.tolist() == [[-1, 1], [-2, 2]]  # by latent, not in the order to show them
    raw["ranges_id"] = hash_ranges(first.ranges)
    assert Sliders.from_dict(raw).render_id == "m"
    raw["latents"][0].update(low="inky", high="chalky")
    assert Sliders.from_dict(raw).render_id == "m"
    raw["latents"][0].update(maximum=2.5)
    changed = Sliders.from_dict(raw)
    assert changed.render_id == f"m-{hash_ranges(changed.ranges)}"
    del raw["ranges_id"]  # not known: never mistaken for the first
    assert Sliders.from_dict(raw).render_id == changed.render_id
