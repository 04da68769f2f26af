"""Which products a model learns from, and which are held back: their ids alone decide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.cli import main
from modiste.errors import BadOption, TrainingError
from modiste.vae.training.dataset import MAX_TRAINING_PHOTOS, split_rows, subsample

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=8, unique=True)


@given(ids=IDS, most=st.integers(8, 40))
def test_drawn_are_so_many_in_their_order(ids: list[str], most: int) -> None:
    found = subsample(ids, most)
    assert len(found) == min(most, len(ids))
    assert [each for each in ids if each in set(found)] == list(found)


@given(ids=IDS, more=IDS, most=st.integers(8, 40))
def test_whoever_comes_puts_out_at_most_as_many(ids: list[str], more: list[str], most: int) -> None:
    before, all_ = set(subsample(ids, most)), list(dict.fromkeys(ids + more))
    after = set(subsample(all_, most))
    assert len(before - after) <= len(after - set(ids))
    assert after & set(ids) <= before


def test_what_is_held_back_of_those_drawn_is_held_back_of_all() -> None:
    ids = [f"product {number}" for number in range(5_000)]
    _, of_all = split_rows(ids)
    some = subsample(ids, 600)
    _, of_some = split_rows(some)
    assert {some[row] for row in of_some} < {ids[row] for row in of_all}


def test_without_a_number_all_are_drawn_of_few_and_not_of_many() -> None:
    ids = [str(number) for number in range(32_001)]
    assert subsample(ids[:-1]) == ids[:-1]
    assert len(subsample(ids)) == 32_000
    assert subsample(ids, 100_000) == ids


def test_too_few_are_refused() -> None:
    with pytest.raises(BadOption, match="photos is 7"):
        subsample(["a"] * 100, 7)
    with pytest.raises(TrainingError, match="at least 8"):
        split_rows(["a"])


def test_the_help_says_how_many(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["train", "--help"]) == 0
    assert f"{MAX_TRAINING_PHOTOS:,} if left out" in capsys.readouterr().out
