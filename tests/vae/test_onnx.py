from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modiste.errors import (
    BadCode,
    BadOption,
    PhotoError,
    ShopIncomplete,
)
from modiste.storage.manifest import Manifest
from modiste.vae.onnx import BATCH_PHOTOS, OnnxModel
from tests.small import FRAME

N = 8


@pytest.fixture(scope="module")
def folder(built: Path) -> Path:
    return built / "models" / str(Manifest.load(built).model)


@pytest.fixture(scope="module")
def engine(folder: Path) -> OnnxModel:
    return OnnxModel.load(folder)


def test_batches_beyond_a_chunk_are_as_single_ones(engine: OnnxModel) -> None:
    random = np.random.default_rng(0)
    photos = random.integers(0, 255, (BATCH_PHOTOS + 3, *FRAME, 3), dtype=np.uint8)
    mean, std = engine.encode(photos)
    assert mean.shape == std.shape == (BATCH_PHOTOS + 3, N)
    assert (std > 0).all()
    alone, _ = engine.encode(photos[-1:])
    np.testing.assert_allclose(alone[0], mean[-1], atol=1e-4)
    drawn = engine.decode(mean)
    assert drawn.shape == (BATCH_PHOTOS + 3, *FRAME, 3)
    assert np.abs(engine.decode(mean[-1:])[0].astype(int) - drawn[-1]).max() <= 1


def test_nothing_in_nothing_out(engine: OnnxModel) -> None:
    mean, _ = engine.encode(np.empty((0, *FRAME, 3), np.uint8))
    assert mean.shape == (0, N)
    assert engine.decode(mean).shape == (0, *FRAME, 3)


def test_more_threads_draw_the_same(engine: OnnxModel, folder: Path) -> None:
    codes = np.random.default_rng(1).standard_normal((4, N))
    other = OnnxModel.load(folder, threads=2).decode(codes)
    assert np.abs(other.astype(int) - engine.decode(codes)).max() <= 1


@pytest.mark.parametrize(
    "photos",
    [
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((*FRAME, 3), np.uint8),
        np.zeros((1, *FRAME, 3), np.float32),
    ],
)
def test_photos_that_are_not_of_the_frame(engine: OnnxModel, photos: np.ndarray) -> None:
    with pytest.raises(PhotoError, match=r"Shop\.encode"):
        engine.encode(photos)


@pytest.mark.parametrize("codes", [np.zeros(N), np.zeros((1, N + 1)), np.full((1, N), np.nan)])
def test_codes_that_cannot_be(engine: OnnxModel, codes: np.ndarray) -> None:
    with pytest.raises(BadCode):
        engine.decode(codes)


def test_a_model_that_is_not_there(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ShopIncomplete, match="modiste train"):
        OnnxModel.load(tmp_path)
    with pytest.raises(BadOption, match="threads is 0"):
        OnnxModel.load(folder, threads=0)
