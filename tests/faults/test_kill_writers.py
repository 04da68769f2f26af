"""Hundreds of `kill -9` at random moments of each command that writes to a shop.

No acknowledged change is lost, none is applied twice, and the next command works.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modiste.pipeline.product_changes import model_ids, refresh_shop, use_model
from modiste.pipeline.train import train_shop
from modiste.shop.shop import Shop
from tests.faults.writer_process import WORK, product

pytestmark = [pytest.mark.faults, pytest.mark.slow]

# How often each is killed.
KILLS = {
    "put": 45,
    "update": 30,
    "remove": 30,
    "encode": 30,
    "cluster": 25,
    "index": 25,
    "map": 15,
    "model": 30,
    "train": 12,
}
MAX_ACKNOWLEDGEMENTS = 2  # acknowledgements that are waited for


class WriterKiller:
    """Starter of a writer process that is killed after some acknowledgements and a random part of another round."""

    def __init__(self, what: str, path: Path) -> None:
        self.what, self.path = what, path
        self.dice = random.Random(what)
        self.round = 0.0  # seconds, as measured when the first was killed

    def run_and_kill(self) -> list[str]:
        """Run and kill the writer; return the acknowledged changes."""
        words = [sys.executable, "-m", "tests.faults.writer_process", self.what, str(self.path)]
        process = subprocess.Popen(words, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        lines = [
            process.stdout.readline()
            for _ in range(self.dice.randint(0, MAX_ACKNOWLEDGEMENTS) if self.round else MAX_ACKNOWLEDGEMENTS)
        ]
        if not self.round:
            self.round = (time.monotonic() - began) / MAX_ACKNOWLEDGEMENTS
        time.sleep(self.dice.uniform(0.0, 1.2 * self.round))
        assert process.poll() is None
        process.kill()
        rest, _ = process.communicate()
        # An incomplete last line does not count.
        text = "".join(lines) + rest
        return text[: text.rfind("\n") + 1].split()


def test_every_writer_is_killed_and_there_are_at_least_200_kills() -> None:
    assert set(KILLS) == set(WORK)
    assert sum(KILLS.values()) >= 200


@pytest.mark.parametrize("what", KILLS)
def test_killed_writer_loses_no_acknowledged_change(what: str, built: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop"
    shutil.copytree(built, path)
    if what == "model":
        for seed in (5, 6):
            train_shop(path, epochs=2, latent=8, seed=seed)
    models = model_ids(Shop.open(path, need="catalogue").files)
    use_model(path, models[-1])
    refresh_shop(path)
    there = set(Shop.open(path, need="catalogue").catalogue.ids)
    killer = WriterKiller(what, path)
    acknowledged = 0
    for turn in range(KILLS[what]):
        if what == "remove" and len(there) < 30:
            shutil.rmtree(path)
            shutil.copytree(built, path)
            there = set(Shop.open(path, need="catalogue").catalogue.ids)
        printed = killer.run_and_kill()
        acknowledged += len(printed)
        # The store holds what was acknowledged, and at most what was under way beside it.
        opened = Shop.open(path, need="catalogue")
        ids = opened.catalogue.ids
        assert len(ids) == len(set(ids)) == opened.store.count()
        if what in ("put", "update"):
            there |= {f"new-{number}" for number in printed}
            assert there <= set(ids)
            assert len(set(ids) - there) <= 1
            for id_ in [f"new-{number}" for number in printed]:
                assert opened.catalogue.attributes(opened.catalogue.row(id_)) == product(int(id_[4:])).attributes
        elif what == "remove":
            there -= set(printed)
            assert set(ids) <= there
            assert len(there - set(ids)) <= 1
        else:
            assert set(ids) == there
        there = set(ids)
        if what == "model" and printed:
            after = models[(models.index(printed[-1]) + 1) % len(models)]
            assert opened.model.model_id in (printed[-1], after)
        # The next command goes on, and the shop answers.
        refresh_shop(path)
        whole = Shop.open(path, need="map")
        assert len(whole.similar(whole.random_design(turn), 5, scope="catalogue")) == 5
        assert len(whole.encodings.mean) == len(ids)
    assert acknowledged >= KILLS[what] // 2
