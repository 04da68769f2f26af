from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modiste.errors import BadCount, SourceError
from modiste.evaluate import evaluate
from modiste.shop.shop import Shop
from modiste.sources.record import Record

METHODS = {"likelihood", "fixed-epsilon", "mean"}
TRANSFERS = {"transport", "shift", "printed", "unshifted", "random"}
CUTOFFS = {"10", "25", "50", "500"}
DISENTANGLEMENT_SCORES = {"dci_disentanglement", "dci_completeness", "mig", "sap"}


@pytest.fixture(scope="module")
def shop(built: Path) -> Shop:
    return Shop.open(built)


@pytest.fixture(scope="module")
def result(shop: Shop) -> dict[str, Any]:
    return evaluate(shop, per_category=20, seed=4)


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, tree


def test_result_has_every_documented_key(result: dict[str, Any]) -> None:
    for kind in ("code", "mean", "mixture"):
        clustering = result["clusters"][kind]
        assert set(clustering["per_class"]) == {"footwear", "eyewear", "bags"}
        assert all(set(row) == {"accuracy", "precision", "recall", "f1"} for row in clustering["per_class"].values())
    for scope in ("catalogue", "cluster", "unsupervised"):
        assert set(result["retrieval"][scope]) == METHODS
        assert all(set(row) == CUTOFFS for row in result["retrieval"][scope].values())
    for scope in ("catalogue", "cluster"):
        for baseline in ("pca", "histogram", "random"):
            (row,) = result["baselines"][baseline]["retrieval"][scope].values()
            assert set(row) == CUTOFFS
    assert all(set(result["attributes"][column]) == METHODS for column in ("article_type", "base_colour"))
    drawn = {"psnr", "mse", "sharpness", "mosaic"}
    assert set(result["reconstruction"]) == drawn == set(result["baselines"]["pca"]["reconstruction"])
    assert set(result["recommendations"]) == METHODS | TRANSFERS
    travels = {"base_colour", "chance", "ciede2000", "answers", "distinct", "largest_share"}
    assert all(set(each) == travels for each in result["recommendations"].values())
    assert set(result["latents"]["disentanglement"]["latents"]) == DISENTANGLEMENT_SCORES
    # A shop that is hardly trained has no attribute sliders.
    directions = result["latents"]["disentanglement"]["directions"]
    assert directions is None or set(directions) == DISENTANGLEMENT_SCORES


def test_random_recommendations_agree_in_colour_as_often_as_chance(result: dict[str, Any]) -> None:
    drawn = result["recommendations"]["random"]
    low, high = result["intervals"]["recommendations"]["random"]["base_colour"]
    assert low - 0.02 <= drawn["chance"] <= high + 0.02


def test_result_can_be_written_as_json(result: dict[str, Any]) -> None:
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_every_interval_contains_its_figure(result: dict[str, Any]) -> None:
    interval_count = 0
    for path, between in leaves(result["intervals"]):
        value: Any = result
        for key in path:
            value = value[key]
        if between is None:
            assert value is None, path
            continue
        low, high = between
        assert low <= high
        # Resampled F1 of few products leans to one side; a mean's interval is around it.
        slack = 0.05 if "clusters" in path else 1e-9
        assert low - slack <= value <= high + slack, path
        interval_count += 1
    assert interval_count > 50


def test_shares_are_between_0_and_1(result: dict[str, Any]) -> None:
    for name in ("clusters", "retrieval", "attributes"):
        assert all(0 <= value <= 1 for _, value in leaves(result[name]) if value is not None)


def test_psnr_agrees_with_the_mean_squared_error(result: dict[str, Any]) -> None:
    reconstruction = result["reconstruction"]
    # The mean of the logarithms is at least the logarithm of the mean.
    assert reconstruction["psnr"] >= -10 * math.log10(reconstruction["mse"]) - 1e-9


def test_same_seed_gives_the_same_figures(shop: Shop, result: dict[str, Any]) -> None:
    assert evaluate(shop, per_category=20, seed=4) == result


def test_another_seed_draws_other_queries(shop: Shop, result: dict[str, Any]) -> None:
    assert evaluate(shop, per_category=20, seed=5)["retrieval"] != result["retrieval"]


def test_progress_reaches_its_total(shop: Shop) -> None:
    reports: list[dict[str, Any]] = []
    evaluate(shop, per_category=2, on_progress=reports.append)
    assert reports[0]["done"] == 0
    assert reports[-1]["done"] == reports[-1]["total"]


def test_unseen_photos_are_queries_against_the_catalogue(
    shop: Shop, sample_records: list[Record], tmp_path: Path
) -> None:
    from modiste.sources.sample import SampleSource

    known = {record.id: record for record in sample_records}
    unseen = SampleSource(count=12, seed=99, size=shop.frame).records()
    for item in [*unseen, next(iter(known.values()))]:
        assert isinstance(item, Record)
        assert isinstance(item.photo, bytes)
        folder = tmp_path / "new" / item.category
        folder.mkdir(parents=True, exist_ok=True)
        suffix = "png" if item.photo.startswith(b"\x89PNG") else "jpg"
        (folder / f"{item.id}-{len(list(folder.iterdir()))}.{suffix}").write_bytes(item.photo)
    result = evaluate(shop, queries=str(tmp_path / "new"), per_category=50)
    assert result["queries"] == 13
    assert result["source"] == str(tmp_path / "new")
    assert result["reconstructed"] == 13
    assert any("in the catalogue" in note for note in result["notes"])
    assert set(result["retrieval"]["catalogue"]) == METHODS


def test_missing_source_raises(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        evaluate(shop, queries=str(tmp_path / "nowhere"))


def test_zero_queries_per_category_raise(shop: Shop) -> None:
    with pytest.raises(BadCount, match="`per_category` is 0"):
        evaluate(shop, per_category=0)
