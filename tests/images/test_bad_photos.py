"""Every bad photo gives its right pixels or a PhotoError with a reason, and a damaged one never other pixels."""

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
from tests.zoo import of_many_passes, written, zoo


@pytest.mark.parametrize("name", zoo())
def test_right_pixels_or_a_reason(name: str, tmp_path: Path) -> None:
    bad = zoo()[name]
    path = tmp_path / "photo.jpg"  # whatever it is
    path.write_bytes(bad.data)
    for given_as in (bad.data, path):
        if bad.reason:
            with pytest.raises(PhotoError) as caught:
                read_photo(given_as)
            assert caught.value.reason == bad.reason
            assert caught.value.remedy
        else:
            photo = read_photo(given_as)
            assert photo.shape == (*(bad.size or ()), 3)
            assert np.abs(photo.astype(int) - bad.colour).max() <= 3


def test_what_is_refused_says_what_is_read() -> None:
    for name in ("GIF", "TIFF", "BMP", "SVG", "PDF", "HEIC"):
        with pytest.raises(PhotoError, match="is not a JPEG, PNG or WebP"):
            read_photo(zoo()[name].data)


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3)).astype(np.uint8))
WHOLE = {
    "jpeg": written(NOISE, "JPEG", icc_profile=b"p" * 200),
    "progressive": written(NOISE, "JPEG", progressive=True),
    "png": written(NOISE),
    "webp": written(NOISE, "WEBP"),
    "lossless webp": written(NOISE, "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_cut_short_anywhere_it_is_refused_unless_no_pixel_is_missing(kind: str) -> None:
    data = WHOLE[kind]
    whole = read_photo(data)
    reasons: set[str] = set()
    for length in range(len(data)):
        try:
            assert np.array_equal(read_photo(data[:length]), whole), length
        except PhotoError as error:
            reasons.add(error.reason)
    assert reasons == {"not-a-photo", "truncated"}


def test_a_png_with_any_byte_changed_is_refused_unless_no_pixel_is() -> None:
    data = WHOLE["png"]
    whole = read_photo(data)
    reasons: set[str] = set()
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            assert np.array_equal(read_photo(changed), whole), at
        except PhotoError as error:
            reasons.add(error.reason)
    assert reasons <= {"truncated", "not-a-photo", "too-large"}


class TestPasses:
    @pytest.mark.parametrize("more", [0, 1, 7])
    def test_counted(self, more: int) -> None:
        assert count_jpeg_scans(of_many_passes(64, more)) == count_jpeg_scans(of_many_passes(64, 0)) + more
        assert count_jpeg_scans(WHOLE["jpeg"]) == 1
        assert 2 < count_jpeg_scans(WHOLE["progressive"]) < 20

    def test_what_follows_the_end_and_what_is_inside_others_does_not_count(self) -> None:
        exif = b"\xff\xe1\0\x0a" + b"\xff\xda" * 4
        data = WHOLE["jpeg"][:2] + exif + WHOLE["jpeg"][2:] + b"\xff\xda\0\x02" * 500
        assert count_jpeg_scans(data) == 1

    @given(st.binary(max_size=300))
    def test_of_anything_it_comes_to_an_end(self, data: bytes) -> None:
        assert count_jpeg_scans(b"\xff\xd8" + data) <= len(data)
        has_valid_png_checksums(b"\x89PNG\r\n\x1a\n" + data)
