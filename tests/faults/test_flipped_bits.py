"""Flipped bits in every file of a shop: results are correct, or there is a named error."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from modiste.errors import ModisteError
from modiste.pipeline.index import index_shop
from modiste.shop.shop import Shop

pytestmark = [pytest.mark.faults, pytest.mark.slow]

FLIPS = 8  # of each file
# Made to be edited by hand: what is changed there is meant, and checked for sense alone.
EDITED = ("sliders.json",)


def answers(path: Path) -> list[Any]:
    """Return all results of a shop for some products and designs."""
    shop = Shop.open(path, need="map")
    ids = shop.catalogue.ids
    code = shop.code_of(ids[3])
    near = [shop.similar(code, 7, *how) for how in (("likelihood",), ("fixed-epsilon", "catalogue"))]
    beside = [(each.label, [match.id for match in each.matches]) for each in shop.recommend(code, 3)]
    return [
        [[(match.id, round(match.score, 9)) for match in each] for each in near],
        beside,
        shop.decode(code).tobytes(),
        shop.encode(shop.photo(ids[3])).mean.tobytes(),
        shop.map.positions.tobytes(),
        shop.typicality(code),
        shop.position_of(code),
        [shop.catalogue.attributes(row) for row in range(len(ids))],
        shop.catalogue.categories,
        shop.tau,
    ]


def test_flipped_bit_gives_right_answers_or_a_named_error(built: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop"
    shutil.copytree(built, path)
    index_shop(path, tau=0.1)
    right = answers(path)
    dice = random.Random(5)
    seen: Counter[str] = Counter()
    for file in sorted(each for each in path.rglob("*") if each.is_file()):
        data = file.read_bytes()
        for _ in range(FLIPS if data and file.name not in EDITED else 0):
            at, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
            file.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
            try:
                assert answers(path) == right, f"byte {at} of {file.relative_to(path)}"
                seen["right"] += 1
            except ModisteError as error:
                seen[type(error).__name__] += 1
        file.write_bytes(data)
    assert answers(path) == right
    assert seen["SchemaError"] > 20
    assert seen["right"] > 100
