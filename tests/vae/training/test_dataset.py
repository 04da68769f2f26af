"""Subsampling and the validation split depend only on the products' ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.cli import main
from modiste.errors import BadOption, TrainingError
from modiste.vae.training.dataset import MAX_TRAINING_PHOTOS, split_rows, subsample

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=8, unique=True)


@given(ids=IDS, max_photos=st.integers(8, 40))
def test_subsample_keeps_the_order(ids: list[str], max_photos: int) -> None:
    chosen = subsample(ids, max_photos)
    assert len(chosen) == min(max_photos, len(ids))
    assert [each for each in ids if each in set(chosen)] == list(chosen)


@given(ids=IDS, more=IDS, max_photos=st.integers(8, 40))
def test_new_products_replace_at_most_as_many_in_the_subsample(
    ids: list[str], more: list[str], max_photos: int
) -> None:
    before, all_ = set(subsample(ids, max_photos)), list(dict.fromkeys(ids + more))
    after = set(subsample(all_, max_photos))
    assert len(before - after) <= len(after - set(ids))
    assert after & set(ids) <= before


def test_validation_rows_are_stable_under_subsampling() -> None:
    ids = [f"product {number}" for number in range(5_000)]
    _, of_all = split_rows(ids)
    some = subsample(ids, 600)
    _, of_some = split_rows(some)
    assert {some[row] for row in of_some} < {ids[row] for row in of_all}


def test_default_subsample_limits_large_catalogues_only() -> None:
    ids = [str(number) for number in range(32_001)]
    assert subsample(ids[:-1]) == ids[:-1]
    assert len(subsample(ids)) == 32_000
    assert subsample(ids, 100_000) == ids


def test_too_few_photos_are_rejected() -> None:
    with pytest.raises(BadOption, match="photos is 7"):
        subsample(["a"] * 100, 7)
    with pytest.raises(TrainingError, match="at least 8"):
        split_rows(["a"])


def test_train_help_names_the_default_subsample(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["train", "--help"]) == 0
    assert f"({MAX_TRAINING_PHOTOS:,})" in capsys.readouterr().out
