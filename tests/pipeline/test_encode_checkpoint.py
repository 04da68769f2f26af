"""An interrupted encode continues where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modiste import Shop
from modiste.parallel import ThreadExecutor
from modiste.pipeline import encode
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.encode_checkpoint import EncodingCheckpoint
from modiste.storage.paths import ShopPaths


class Counting(ThreadExecutor):
    """ThreadExecutor that counts its items, and stops after some."""

    def __init__(self, most: int = 10**9) -> None:
        super().__init__(1)
        object.__setattr__(self, "seen", [])
        object.__setattr__(self, "most", most)

    def map(self, begin: Callable[[Any], Callable[[Any], Any]], context: Any, pieces: Iterable[Any]) -> Iterator[Any]:
        for number, done in enumerate(super().map(begin, context, pieces)):
            if number == self.most:  # type: ignore[attr-defined]
                raise KeyboardInterrupt
            self.seen.append(len(done[1]))  # type: ignore[attr-defined]
            yield done


def test_resume_skips_encoded_products(shop_copy: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encode, "CHUNK_PHOTOS", 8)
    monkeypatch.setattr(encode, "SLICE_PHOTOS", 16)
    whole, stopped, rest = Counting(), Counting(most=5), Counting()
    encode_shop(shop_copy, executor=whole)
    before = Shop.open(shop_copy, need="encodings", use_index=False).encodings
    with pytest.raises(KeyboardInterrupt):
        encode_shop(shop_copy, executor=stopped)
    after = Shop.open(shop_copy, need="encodings", use_index=False).encodings
    np.testing.assert_array_equal(after.mean, before.mean)  # as it was, until all is done
    encode_shop(shop_copy, executor=rest)
    # Five pieces were done: two whole slices of two, and half of the third, which is done again.
    assert sum(rest.seen) == sum(whole.seen) - 32  # type: ignore[attr-defined]
    again = Shop.open(shop_copy, need="encodings", use_index=False).encodings
    np.testing.assert_array_equal(again.mean, before.mean)
    np.testing.assert_array_equal(again.std, before.std)
    assert not list(shop_copy.rglob("*.partial"))


def test_checkpoint_of_another_catalogue_is_ignored(shop_copy: Path):
    files, model_id = ShopPaths(shop_copy), Shop.open(shop_copy, need="model").model.model_id
    rows = np.ones((4, 16), np.float32)
    one = EncodingCheckpoint(files, model_id, "a" * 64, 10, 16)
    one.write(3, rows, rows)
    assert one.has(slice(3, 7))
    assert not one.has(slice(2, 7))
    assert EncodingCheckpoint(files, model_id, "a" * 64, 10, 16).has(slice(3, 7))
    other = EncodingCheckpoint(files, model_id, "b" * 64, 10, 16)
    assert not other.has(slice(3, 4))
    assert not one.path.exists()
