"""Sample catalogue: the same on every machine, and its attributes describe what is drawn."""

from __future__ import annotations

import colorsys
import hashlib
import os
from collections import Counter

import numpy as np
import pytest

from modiste.errors import BadCount, BadOption
from modiste.images.photo import background_colour, is_white_background, read_photo
from modiste.sources.record import Record, Source
from modiste.sources.sample import SampleSource
from modiste.sources.sample.articles import CATEGORIES, draw_product, pick_category

COUNT = 40


def number(record: Record, name: str) -> float:
    value = record.attributes[name]
    assert isinstance(value, float)
    return value


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(SampleSource(count=COUNT, seed=5).records())


def test_sample_is_a_source_with_a_name_and_count() -> None:
    source = SampleSource(count=7)
    assert isinstance(source, Source)
    assert (source.name, source.count()) == ("sample", 7)
    assert SampleSource().count() == 3000


def test_ids_are_unique_and_in_order(records: list[Record]) -> None:
    assert [record.id for record in records] == [f"sample-{i:05d}" for i in range(1, COUNT + 1)]


def test_categories_have_their_shares() -> None:
    counts = Counter(pick_category(0, index) for index in range(3000))
    assert counts == {"footwear": 1650, "bags": 900, "eyewear": 450}


def test_every_article_type_is_drawn() -> None:
    article_types = {
        record.attributes["article_type"] for record in SampleSource(400, 0, (24, 18), processes=2).records()
    }
    assert article_types == {name for articles in CATEGORIES.values() for name in articles}


def test_strap_length_and_body_height_add_up() -> None:
    for index in range(60):
        drawing, record = draw_product(6, index, (120, 90))
        if record.attributes["article_type"] in ("Totes", "Handbags"):
            described = number(record, "strap_length") + number(record, "body_height")
            assert abs(described - number(record, "height")) < 0.05, record.id
        assert (drawing.canvas.alpha <= 1.0001).all()


def test_photos_have_the_size_and_white_corners(records: list[Record]) -> None:
    for record in records:
        assert isinstance(record.photo, bytes)
        photo = read_photo(record.photo)
        assert photo.shape == (240, 180, 3)
        assert (photo[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all(), record.id
        assert is_white_background(photo)
        assert background_colour(photo).tolist() == [255, 255, 255]


def test_catalogue_depends_on_the_seed_only() -> None:
    first, again = list(SampleSource(12, 3).records()), list(SampleSource(12, 3).records())
    assert first == again
    assert list(SampleSource(4, 3).records()) == first[:4]
    assert all(a.photo != b.photo for a, b in zip(first, SampleSource(12, 4).records(), strict=True))


def test_records_do_not_depend_on_the_number_of_processes() -> None:
    parallel = list(SampleSource(70, 1, (48, 36), processes=2).records())
    assert parallel == list(SampleSource(70, 1, (48, 36), processes=1).records())


def test_iteration_can_stop_early() -> None:
    rows = SampleSource(200, 1, (48, 36), processes=2).records()
    assert next(rows).id == "sample-00001"
    rows.close()  # type: ignore[attr-defined]


def test_pixels_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256()
    for index in range(10):
        digest.update(draw_product(0, index, (240, 180))[0].canvas.pixels().tobytes())
    assert digest.hexdigest() == "f343abc2fdd0848407a3439fee70b6ee3ae3ad70ebc4e65fd6685569366680b7"


@pytest.mark.parametrize("size", [(64, 48), (96, 96), (480, 360), (60, 200)])
def test_products_can_be_drawn_in_any_size(size: tuple[int, int]) -> None:
    drawing, record = draw_product(2, 11, size)
    assert drawing.canvas.pixels().shape == (*size, 3)
    assert 0.05 < number(record, "height") <= 1.0


def test_numeric_attributes_match_the_category(records: list[Record]) -> None:
    of_all = {"hue", "lightness", "saturation", "height", "width"}
    of_some = {
        "footwear": {"heel_height", "sole_thickness", "shaft_height", "foot_length"},
        "bags": {"strap_length", "strap_width", "body_height"},
        "eyewear": {"lens_lightness", "lens_width", "lens_height", "rim_thickness", "bridge_width"},
    }
    for record in records:
        for name in of_all | of_some[record.category]:
            assert np.isfinite(number(record, name)), (record.id, name)
        for other, names in of_some.items():
            if other != record.category:
                assert not names & record.attributes.keys()
        for name in ("name", "article_type", "base_colour", "material", "pattern"):
            assert isinstance(record.attributes[name], str)


def test_height_and_width_match_the_drawing(records: list[Record]) -> None:
    for record in records:
        assert isinstance(record.photo, bytes)
        photo = read_photo(record.photo).astype(int)
        # shadows are grey and pale; the drawing reaches at most as far as what is not white
        visible = np.abs(photo - 255).max(axis=2) > 12
        rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
        visible_height = (rows[-1] - rows[0] + 1) / 240
        visible_width = (columns[-1] - columns[0] + 1) / 180
        assert -0.02 <= visible_height - number(record, "height") <= 0.08, record.id
        assert -0.03 <= visible_width - number(record, "width") <= 0.12, record.id


def test_main_colour_matches_the_pixels() -> None:
    """Much of every plain product, soles, metal, folds and highlights aside, has the recorded colour."""
    shares: list[float] = []
    for index in range(40):
        drawing, record = draw_product(9, index, (120, 90))
        if drawing.pattern != "plain" or record.category == "eyewear":
            continue
        described = colorsys.hls_to_rgb(
            number(record, "hue") / 360, number(record, "lightness"), number(record, "saturation")
        )
        pixels = drawing.canvas.pixels()[drawing.canvas.alpha > 0.9] / 255
        shares.append(float((np.abs(pixels - np.array(described)).mean(axis=1) < 0.1).mean()))
    assert len(shares) > 15
    assert min(shares) > 0.1
    assert np.median(shares) > 0.4


def test_heel_height_correlates_with_height() -> None:
    records = [draw_product(4, index, (32, 24))[1] for index in range(160)]
    heels = [record for record in records if record.attributes["article_type"] == "Heels"]
    assert len(heels) > 5
    lifts, heights = ([number(record, name) for record in heels] for name in ("heel_height", "height"))
    assert np.corrcoef(lifts, heights)[0, 1] > 0.7


@pytest.mark.parametrize("count", [0, -1, 100_000])
def test_count_out_of_range_is_rejected(count: int) -> None:
    with pytest.raises(BadCount, match=str(count)):
        SampleSource(count)


def test_size_out_of_range_is_rejected() -> None:
    with pytest.raises(BadOption, match="size"):
        SampleSource(1, size=(8, 180))


@pytest.mark.slow
def test_three_thousand_photos_take_two_minutes_of_cpu_time_at_most() -> None:
    """Measure the CPU time of our own processes, so that other load on the machine does not matter."""
    started = os.times()
    ids = {record.id for record in SampleSource(processes=2).records()}
    assert len(ids) == 3000
    assert sum(now - then for now, then in zip(os.times()[:4], started[:4], strict=True)) < 2 * 60
