"""Every bad photo gives the right pixels or a PhotoError with a reason; a damaged one never gives other pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modiste.errors import PhotoError
from modiste.images.integrity import count_jpeg_scans, has_valid_png_checksums
from modiste.images.photo import read_photo
from tests.zoo import jpeg_with_scans, written, zoo


@pytest.mark.parametrize("name", zoo())
def test_bad_photo_gives_the_right_pixels_or_a_reason(name: str, tmp_path: Path) -> None:
    bad = zoo()[name]
    path = tmp_path / "photo.jpg"  # the name says nothing about the content
    path.write_bytes(bad.data)
    for data in (bad.data, path):
        if bad.reason:
            with pytest.raises(PhotoError) as caught:
                read_photo(data)
            assert caught.value.reason == bad.reason
            assert caught.value.remedy
        else:
            photo = read_photo(data)
            assert photo.shape == (*(bad.size or ()), 3)
            assert np.abs(photo.astype(int) - bad.colour).max() <= 3


def test_rejection_names_the_supported_formats() -> None:
    for name in ("GIF", "TIFF", "BMP", "SVG", "PDF", "HEIC"):
        with pytest.raises(PhotoError, match="is not a JPEG, PNG or WebP"):
            read_photo(zoo()[name].data)


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3)).astype(np.uint8))
COMPLETE = {
    "jpeg": written(NOISE, "JPEG", icc_profile=b"p" * 200),
    "progressive": written(NOISE, "JPEG", progressive=True),
    "png": written(NOISE),
    "webp": written(NOISE, "WEBP"),
    "lossless webp": written(NOISE, "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", COMPLETE)
def test_file_truncated_anywhere_is_rejected_unless_all_pixels_are_there(kind: str) -> None:
    data = COMPLETE[kind]
    complete = read_photo(data)
    reasons: set[str] = set()
    for length in range(len(data)):
        try:
            assert np.array_equal(read_photo(data[:length]), complete), length
        except PhotoError as error:
            reasons.add(error.reason)
    assert reasons == {"not_a_photo", "truncated"}


def test_png_with_any_changed_byte_is_rejected_unless_all_pixels_are_the_same() -> None:
    data = COMPLETE["png"]
    complete = read_photo(data)
    reasons: set[str] = set()
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :]
        try:
            assert np.array_equal(read_photo(changed), complete), position
        except PhotoError as error:
            reasons.add(error.reason)
    assert reasons <= {"truncated", "not_a_photo", "too_large"}


class TestScans:
    @pytest.mark.parametrize("more", [0, 1, 7])
    def test_scans_are_counted(self, more: int) -> None:
        assert count_jpeg_scans(jpeg_with_scans(64, more)) == count_jpeg_scans(jpeg_with_scans(64, 0)) + more
        assert count_jpeg_scans(COMPLETE["jpeg"]) == 1
        assert 2 < count_jpeg_scans(COMPLETE["progressive"]) < 20

    def test_scans_after_the_end_and_inside_segments_are_not_counted(self) -> None:
        exif = b"\xff\xe1\0\x0a" + b"\xff\xda" * 4
        data = COMPLETE["jpeg"][:2] + exif + COMPLETE["jpeg"][2:] + b"\xff\xda\0\x02" * 500
        assert count_jpeg_scans(data) == 1

    @given(st.binary(max_size=300))
    def test_parsers_accept_any_bytes(self, data: bytes) -> None:
        assert count_jpeg_scans(b"\xff\xd8" + data) <= len(data)
        has_valid_png_checksums(b"\x89PNG\r\n\x1a\n" + data)
