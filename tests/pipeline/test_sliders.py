"""The sliders and the map of a shop: built, kept, edited by hand, stale and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modiste import Shop
from modiste.errors import BadCode, BadOption, SchemaError, ShopIncomplete, StaleError, UnknownCategory
from modiste.images.photo import to_jpeg
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.map import make_map
from modiste.pipeline.sliders import make_sliders
from modiste.shop.info import describe_shop
from modiste.sources.record import Record
from modiste.sources.sample import SampleSource
from tests.contents import edit
from tests.small import FRAME, Listed

N = 8


@pytest.fixture(scope="module")
def shop(built: Path) -> Shop:
    return Shop.open(built, need="map")


def files(root: Path) -> tuple[Path, Path]:
    """Return the paths of sliders.json and map.json."""
    shop = Shop.open(root, need="encodings")
    return shop.files.sliders(shop.model.model_id), shop.files.map(shop.model.model_id)


def test_every_latent_has_one_slider(shop: Shop) -> None:
    sliders = shop.sliders
    assert sorted(each.latent for each in sliders.latents) == list(range(N))
    assert sliders.render_id == shop.model.model_id
    assert sliders.ranges.shape == (N, 2)
    kl = [each.kl for each in sliders.latents]
    assert kl == sorted(kl, reverse=True)
    basis = np.array([each.direction for each in sliders.attributes]).reshape(-1, N)
    np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-6)


def test_map_has_a_position_for_every_product_and_code(shop: Shop) -> None:
    positions = shop.map.positions
    assert positions.shape == (len(shop.catalogue), 2)
    assert ((positions >= 0) & (positions <= 1)).all()
    for id_ in shop.catalogue.ids[:5]:
        np.testing.assert_allclose(shop.position_of(shop.code_of(id_)), positions[shop.catalogue.row(id_)], atol=1e-6)
    x, y = shop.position_of(shop.random_design(1))
    assert 0 <= x <= 1
    assert 0 <= y <= 1
    with pytest.raises(BadCode):
        shop.position_of(shop.encodings.code[:2])


def test_closeness_and_typicality_are_described_in_words(shop: Shop) -> None:
    code = shop.code_of(shop.catalogue.ids[3])
    assert shop.closeness("fixed-epsilon", 0.0) == "almost the same"
    assert shop.closeness("fixed-epsilon", 1e6, "manhattan") == "distant"
    assert shop.closeness("likelihood", -1e9) == "distant"
    typicality = shop.typicality(code)
    assert (typicality.share, typicality.word, typicality.nearest) == (
        1.0,
        "typical of the shop",
        shop.catalogue.ids[3],
    )
    assert shop.typicality(np.full(N, 50.0)).word == "unlike anything in the shop"
    best = shop.similar(code, 1, tau=0.5)[0]
    assert shop.closeness("likelihood", best.score, tau=0.5) != "distant"
    for wrong in (("cosine", 1.0), ("mean", 1.0, "cosine")):
        with pytest.raises(BadOption):
            shop.closeness(*wrong)  # type: ignore[arg-type]
    with pytest.raises(BadOption):
        shop.closeness("likelihood", 0.0, tau=-1)


def test_similar_and_recommend_use_filters(shop: Shop) -> None:
    code, where = shop.random_design(2), {"category": ["bags"]}
    allowed = {id_ for id_, fits in zip(shop.catalogue.ids, shop.filter_mask(where), strict=True) if fits}
    matches = shop.similar(code, 90, scope="catalogue", where=where)
    assert {match.id for match in matches} == allowed
    mean = shop.encodings.mean
    rows = np.flatnonzero(shop.filter_mask(where))
    nearest = rows[np.linalg.norm(mean[rows].astype(float) - code, axis=1).argmin()]
    assert shop.similar(code, 1, "mean", "catalogue", where=where)[0].id == shop.catalogue.ids[nearest]
    for own in shop.similar(code, 90, where=where):
        assert (own.category, own.cluster) == ("bags", shop.cluster_of(code))
    assert shop.similar(code, 5, where={"category": ["no such"]}) == []
    for each in shop.recommend(code, 4, where=where):
        assert {match.category for match in each.matches} <= {"bags"}
    with pytest.raises(BadOption):
        shop.similar(code, 5, where={"no such": ["a"]})


def test_recommend_covers_every_other_category(shop: Shop) -> None:
    for seed in range(6):
        code = shop.random_design(seed)
        own = shop.category_of_cluster[shop.cluster_of(code)]
        answer = shop.recommend(code, 3, "shift", by="category")
        assert [each.category for each in answer] == [name for name in shop.catalogue.counts() if name != own]
        for each in answer:
            assert each.label == each.category
            assert 1 <= len(each.matches) <= 3
            assert {match.category for match in each.matches} == {each.category}
            scores = [match.score for match in each.matches]
            assert scores == sorted(scores, reverse=True)
    first = answer[0].matches[0].id
    again = shop.recommend(code, 3, by="category", exclude=[first])
    assert first not in {match.id for each in again for match in each.matches}
    with pytest.raises(BadOption):
        shop.recommend(code, 3, by="colour")  # type: ignore[arg-type]


def test_category_average_is_the_mean_code(shop: Shop) -> None:
    rows = [row for row, name in enumerate(shop.catalogue.categories) if name == "bags"]
    np.testing.assert_allclose(shop.category_average("bags"), shop.encodings.code[rows].mean(axis=0), atol=1e-5)
    with pytest.raises(UnknownCategory):
        shop.category_average("hats")


def test_shop_has_titles_and_facets_with_colours(shop: Shop) -> None:
    assert shop.title(0) == shop.catalogue.attributes(0)["name"]
    facets = shop.facets
    assert facets[0].name == "category"
    colour = next(facet for facet in facets if facet.name == "base_colour")
    assert all(value[2] is not None and value[2].startswith("#") for value in colour.values)


def test_cut_out_uses_the_shops_background(shop: Shop) -> None:
    pixels = np.full((90, 90, 3), (60, 120, 180), np.uint8)
    pixels[30:60, 20:70] = (180, 60, 30)
    cutout = shop.cut_out(pixels)
    assert cutout.is_cut
    assert cutout.photo.shape == (*FRAME, 3)
    assert np.abs(cutout.photo[0, 0].astype(int) - shop.map.background).max() < 3


def test_rebuilt_sliders_and_map_are_the_same_files(shop_copy: Path) -> None:
    sliders, chart = files(shop_copy)
    before = sliders.read_bytes(), chart.read_bytes()
    summary = make_sliders(shop_copy)
    make_map(shop_copy)
    assert summary["copy"] is None
    assert (sliders.read_bytes(), chart.read_bytes()) == before


def test_edited_sliders_are_used_and_copied_before_a_rebuild(shop_copy: Path) -> None:
    sliders, _ = files(shop_copy)
    raw = json.loads(sliders.read_text())
    raw["latents"][0].update(low="inky", high="chalky")
    sliders.write_text(json.dumps(raw))
    opened = Shop.open(shop_copy, need="map")
    assert opened.sliders.latents[0].name == "inky ↔ chalky"
    assert opened.sliders.render_id == opened.model.model_id
    raw["latents"][0]["maximum"] += 1
    sliders.write_text(json.dumps(raw))
    assert Shop.open(shop_copy, need="map").sliders.render_id != opened.model.model_id
    summary = make_sliders(shop_copy)
    assert json.loads(Path(summary["copy"]).read_text()) == raw
    again = Shop.open(shop_copy, need="map").sliders
    assert again.render_id == summary["render_id"] == opened.model.model_id


def test_edited_ranges_change_the_render_id(shop_copy: Path) -> None:
    sliders, _ = files(shop_copy)
    raw = json.loads(sliders.read_text())
    sliders.write_text(json.dumps(raw | {"ranges_id": "00000000"}))
    summary = make_sliders(shop_copy)
    # The file says that this model's first ranges were others: they are not forgotten.
    assert summary["render_id"].startswith(f"{summary['model']}-")


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\x00garbage"])
def test_damaged_file_names_the_remedy(shop_copy: Path, which: int, content: bytes) -> None:
    file = files(shop_copy)[which]
    file.write_bytes(content)
    with pytest.raises(SchemaError, match=rf"{file.name}.*modiste sliders --shop"):
        Shop.open(shop_copy, need="map")


def test_damaged_files_are_rebuilt(shop_copy: Path) -> None:
    for file in files(shop_copy):
        file.write_bytes(b"\x00garbage")
    assert make_sliders(shop_copy)["copy"] is not None  # a person may want the damaged file
    make_map(shop_copy)
    Shop.open(shop_copy, need="map")


DAMAGE: list[dict[str, Any]] = [
    {"x": [0.5]},
    {"x": [2.0] * 90},
    {"x": "no"},
    {"x": [float("nan")] * 90},
    {"swatches": []},
    {"thresholds": {}},
    {"thresholds": {"likelihood": [1, 2]}},
    {"loneliness": [1, 2]},
    {"background": [1, 2]},
    {"extent": "wide"},
    {"schema": 99},
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_map_raises(shop_copy: Path, damage: dict[str, Any]) -> None:
    _, chart = files(shop_copy)
    edit(chart, **damage)
    with pytest.raises(SchemaError, match="modiste sliders"):
        Shop.open(shop_copy, need="map")


@pytest.mark.parametrize("which", [0, 1])
def test_missing_file_names_the_command(shop_copy: Path, which: int) -> None:
    files(shop_copy)[which].unlink()
    with pytest.raises(ShopIncomplete, match="modiste sliders --shop"):
        Shop.open(shop_copy, need="map")
    Shop.open(shop_copy)  # answers all the same
    assert "modiste sliders" in describe_shop(shop_copy)["stages"][("sliders", "map")[which]]


def test_sliders_of_another_model_raise_stale_error(shop_copy: Path) -> None:
    sliders, _ = files(shop_copy)
    raw = json.loads(sliders.read_text())
    sliders.write_text(json.dumps(raw | {"model_id": "0123456789ab"}))
    with pytest.raises(StaleError, match="0123456789ab"):
        Shop.open(shop_copy, need="sliders")


def test_new_products_make_the_map_stale_and_new_clusters_do_not(shop_copy: Path, sample_records: list[Record]) -> None:
    cluster_shop(shop_copy, k=2, method="kmeans")
    Shop.open(shop_copy, need="map")
    photo = np.full((*FRAME, 3), 255, np.uint8)
    photo[20:40, 10:30] = (20, 160, 160)
    ingest(Listed([Record("new", "hats", to_jpeg(photo), {})]), shop_copy)
    encode_shop(shop_copy)
    cluster_shop(shop_copy, k=2, method="kmeans")
    Shop.open(shop_copy, need="sliders")
    with pytest.raises(StaleError, match=r"map.*modiste sliders"):
        Shop.open(shop_copy, need="map")
    make_map(shop_copy)
    opened = Shop.open(shop_copy, need="map")
    # A category that no cluster is named for is recommended all the same.
    answer = opened.recommend(opened.random_design(0), 2, by="category")
    assert "hats" in [each.category for each in answer]


@pytest.mark.parametrize("count", [2, 5])
def test_shop_of_few_products_can_be_searched(
    shop_copy: Path, tmp_path: Path, sample_records: list[Record], count: int
) -> None:
    """The shop uses the model of another shop."""
    import shutil

    from modiste.storage.manifest import Manifest

    root = tmp_path / "tiny"
    ingest(Listed(sample_records[:count]), root, frame=FRAME)
    shutil.copytree(shop_copy / "models", root / "models")
    Manifest.load(root).with_changes(model=Manifest.load(shop_copy).model).save(root)
    encode_shop(root)
    cluster_shop(root, k=1, method="kmeans")
    make_sliders(root)
    make_map(root)
    opened = Shop.open(root, need="map")
    code = opened.random_design(0)
    assert opened.typicality(code).nearest in opened.catalogue.ids
    assert opened.closeness("likelihood", opened.similar(code, 1)[0].score)
    assert len(opened.position_of(code)) == 2
    assert opened.facets[0].name == "category"
    opened.recommend(code, 1, by="category")


def test_progress_reaches_its_total(shop_copy: Path) -> None:
    reports: list[dict[str, Any]] = []
    make_sliders(shop_copy, on_progress=reports.append)
    make_map(shop_copy, on_progress=reports.append)
    for stage in ("sliders", "map"):
        events = [event for event in reports if event["stage"] == stage]
        done = [event["done"] for event in events]
        assert done == sorted(done)
        assert done[-1] == events[-1]["total"]


@pytest.mark.slow
def test_each_direction_changes_its_own_attribute_most(tmp_path: Path) -> None:
    """Designs go from end to end of each direction of a measured attribute, and the pictures are measured.

    On average, the direction's own measurement grows with every step, at least twice as much as any other named one,
    each in units of its standard deviation over the catalogue's photos.
    """
    from modiste.images.measurements import measure_photos
    from modiste.latent.slider_names import measurement_spread
    from modiste.pipeline.build import build

    build(SampleSource(count=1500, seed=5, size=(120, 90)), tmp_path / "shop", frame=(120, 90), epochs=12, threads=2)
    shop = Shop.open(tmp_path / "shop", need="map")
    random = np.random.default_rng(7)
    mean = shop.encodings.mean
    plain = measure_photos(shop.decode(mean[random.choice(len(mean), 200, replace=False)]))
    start = mean[random.choice(len(mean), 32, replace=False)].astype(np.float64)
    shown = [each for each in shop.sliders.attributes if each.value is None and each.attribute in plain]
    names = [each.attribute for each in shown]
    assert {"lightness", "warmth"} <= set(names)
    assert {"height", "width"} & set(names)
    for each in shown:
        direction = np.array(each.direction)
        steps = [
            measure_photos(shop.decode((start + (to - start @ direction)[:, None] * direction).astype(np.float32)))
            for to in np.linspace(each.minimum, each.maximum, 7)
        ]
        paths = {
            name: np.array([step[name].mean() for step in steps]) / measurement_spread(name, plain[name])
            for name in names
        }
        own = paths.pop(each.attribute)
        assert (np.diff(own) > 0).all(), (each.name, own)
        others = {name: abs(float(path[-1] - path[0])) for name, path in paths.items()}
        assert own[-1] - own[0] >= 2 * max(others.values(), default=0), (each.name, own[-1] - own[0], others)
    directions = [each for each in shop.sliders.attributes if each.value is not None]
    assert any(each.attribute in ("category", "article_type") for each in directions)
