"""Inference with ONNX Runtime."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from modiste.errors import BadCode, BadOption, PhotoError, SchemaError, ShopIncomplete
from modiste.storage.manifest import Manifest
from modiste.vae.onnx import BATCH_PHOTOS, OnnxModel
from tests.small import FRAME

N = 8


@pytest.fixture(scope="module")
def folder(built: Path) -> Path:
    return built / "models" / str(Manifest.load(built).model)


@pytest.fixture(scope="module")
def model(folder: Path) -> OnnxModel:
    return OnnxModel.load(folder)


def test_large_batches_equal_single_photos(model: OnnxModel) -> None:
    random = np.random.default_rng(0)
    photos = random.integers(0, 255, (BATCH_PHOTOS + 3, *FRAME, 3), dtype=np.uint8)
    mean, std = model.encode(photos)
    assert mean.shape == std.shape == (BATCH_PHOTOS + 3, N)
    assert (std > 0).all()
    single, _ = model.encode(photos[-1:])
    np.testing.assert_allclose(single[0], mean[-1], atol=1e-4)
    photos = model.decode(mean)
    assert photos.shape == (BATCH_PHOTOS + 3, *FRAME, 3)
    assert np.abs(model.decode(mean[-1:])[0].astype(int) - photos[-1]).max() <= 1


def test_empty_batch_is_encoded_and_decoded(model: OnnxModel) -> None:
    mean, _ = model.encode(np.empty((0, *FRAME, 3), np.uint8))
    assert mean.shape == (0, N)
    assert model.decode(mean).shape == (0, *FRAME, 3)


def test_results_do_not_depend_on_the_number_of_threads(model: OnnxModel, folder: Path) -> None:
    codes = np.random.default_rng(1).standard_normal((4, N))
    with_two_threads = OnnxModel.load(folder, threads=2).decode(codes)
    assert np.abs(with_two_threads.astype(int) - model.decode(codes)).max() <= 1


@pytest.mark.parametrize(
    "photos", [np.zeros((1, 8, 8, 3), np.uint8), np.zeros((*FRAME, 3), np.uint8), np.zeros((1, *FRAME, 3), np.float32)]
)
def test_photos_of_another_shape_are_rejected(model: OnnxModel, photos: np.ndarray) -> None:
    with pytest.raises(PhotoError, match=r"Shop\.encode"):
        model.encode(photos)


@pytest.mark.parametrize("codes", [np.zeros(N), np.zeros((1, N + 1)), np.full((1, N), np.nan)])
def test_invalid_codes_are_rejected(model: OnnxModel, codes: np.ndarray) -> None:
    with pytest.raises(BadCode):
        model.decode(codes)


def test_missing_model_and_invalid_thread_count_raise(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ShopIncomplete, match="modiste train"):
        OnnxModel.load(tmp_path)
    with pytest.raises(BadOption, match="threads is 0"):
        OnnxModel.load(folder, threads=0)


def test_loaded_model_is_shared_until_a_file_changes(tmp_path: Path, folder: Path) -> None:
    directory = tmp_path / "model"
    shutil.copytree(folder, directory)
    first = OnnxModel.load(directory)
    assert OnnxModel.load(directory) is first
    assert OnnxModel.load(directory, threads=2) is not first
    network = bytearray((directory / "decoder.onnx").read_bytes())
    network[-1] ^= 1
    (directory / "decoder.onnx").write_bytes(network)
    with pytest.raises(SchemaError, match="damaged"):
        OnnxModel.load(directory)
