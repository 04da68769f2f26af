"""The dataset cache is built once, reused while nothing changes, and never incomplete."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from modiste.errors import TrainingError
from modiste.images.descriptors import SHAPE_SIZE
from modiste.vae.training.autotune import choose_fastest, hardware_candidates
from modiste.vae.training.dataset import PhotoDataset
from modiste.vae.training.dataset_cache import cache_key, pixels_to_tensor
from modiste.vae.training.hardware import Hardware
from modiste.vae.training.network import body_ratio, downscale
from modiste.vae.training.settings import TrainSettings

FRAME = (48, 36)


class Counted(Sequence[bytes]):
    """Photos that count how many are read at once."""

    def __init__(self, photos: list[bytes]) -> None:
        self.photos, self.slices = photos, []

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, rows):  # type: ignore[no-untyped-def]
        self.slices.append(rows)
        return self.photos[rows]


def build_cache(photos: Sequence[bytes], directory: Path, key: str = "a", described: bool = True) -> PhotoDataset:
    rows = np.arange(40) if described else None
    return PhotoDataset(photos, FRAME, lambda _: None, directory, key, train_rows=rows)


def test_cache_holds_the_pixels_and_normalised_descriptors(photos, tmp_path: Path) -> None:
    dataset = build_cache(photos, tmp_path / "prepared")
    whole = dataset.read_photos(range(64))
    assert whole.shape == (64, *FRAME, 3)
    expected = downscale(pixels_to_tensor(whole), body_ratio(FRAME))
    np.testing.assert_allclose(dataset.read_bodies(slice(0, 64)), expected, atol=1 / 255)
    shape, colour = dataset.descriptors(np.arange(40))
    assert shape.shape[1] == SHAPE_SIZE
    for part, deviation in ((shape[:, :2592], 1.0), (shape[:, 2592:], 0.5), (colour[:, :384], 1.0)):
        assert float(part.mean(dim=0).abs().max()) < 0.01
        assert float(part.var(dim=0, unbiased=False).sum()) == pytest.approx(deviation**2, rel=0.01)


def test_unchanged_cache_is_reused(photos, tmp_path: Path) -> None:
    directory = tmp_path / "prepared"
    first = build_cache(photos, directory)
    again = Counted(photos)
    second = build_cache(again, directory)
    assert again.slices == []
    np.testing.assert_array_equal(first.bodies, second.bodies)
    assert torch.equal(first.descriptors(np.arange(9))[1], second.descriptors(np.arange(9))[1])
    for key, described in (("b", True), ("b", False)):
        changed = Counted(photos)
        build_cache(changed, directory, key, described)
        assert changed.slices
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared"]


def test_photos_are_read_in_batches(photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modiste.vae.training.dataset_cache.BATCH_PHOTOS", 10)
    counted = Counted(photos)
    build_cache(counted, tmp_path / "prepared")
    assert [(part.start, part.stop) for part in counted.slices] == [(i, i + 10) for i in range(0, 64, 10)]


def test_failed_build_leaves_nothing(photos, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="36x48"):
        PhotoDataset(photos, (64, 64), lambda _: None, tmp_path / "prepared", "a")
    assert list(tmp_path.iterdir()) == []


def test_cache_key_depends_on_products_photos_and_frame() -> None:
    keys = {
        cache_key(["a", "b"], "h", FRAME),
        cache_key(["a", "c"], "h", FRAME),
        cache_key(["a", "b"], "g", FRAME),
        cache_key(["a", "b"], "h", (64, 64)),
    }
    assert len(keys) == 4


def test_hardware_candidates_are_measured() -> None:
    settings = TrainSettings(frame=FRAME, latent=4, batch_size=8)
    usual = Hardware(torch.device("cpu"), bfloat16=False, threads=2)
    assert next(iter(hardware_candidates(usual))) == usual
    assert len(set(hardware_candidates(usual))) == 4
    chosen, tried = choose_fastest(usual, settings, [4])
    assert chosen in set(hardware_candidates(usual))
    assert [each.batch_size for each in tried] == [8, 8, 8, 8, 4]
    assert all(each.images_per_second > 0 for each in tried)
    assert [each.threads for each in tried] == [2, 1, 2, 2, 2]


def test_failed_measurement_keeps_the_usual_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Hardware(torch.device("cpu"), bfloat16=False, threads=2)
    monkeypatch.setattr("modiste.vae.training.autotune.sys.executable", "/no/such/python")
    assert choose_fastest(usual, TrainSettings(frame=FRAME)) == (usual, [])
