"""Photos give the same pixels from every source, and other files a reason."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from modiste.errors import PhotoError
from modiste.images.photo import (
    background_colour,
    decode_jpeg,
    fit_photo,
    is_white_background,
    photo_hash,
    read_photo,
    to_jpeg,
    to_png,
    to_webp,
)
from tests.sources.shops import PHOTOS, real_photos


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def blocks(h: int = 60, w: int = 40) -> np.ndarray:
    """Return a photo whose four quarters differ: red, green / blue, black."""
    photo = np.zeros((h, w, 3), np.uint8)
    photo[: h // 2, : w // 2] = (255, 0, 0)
    photo[: h // 2, w // 2 :] = (0, 255, 0)
    photo[h // 2 :, : w // 2] = (0, 0, 255)
    return photo


def png_header(width: int, height: int) -> bytes:
    """Return a tiny PNG whose header claims width × height pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


class TestReading:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_each_format_is_read_from_bytes_and_from_a_file(self, kind: str, tmp_path: Path) -> None:
        data = encoded(Image.fromarray(blocks()), kind, quality=95)
        path = tmp_path / "photo.bin"
        path.write_bytes(data)
        photo = read_photo(data)
        assert photo.dtype == np.uint8
        assert photo.shape == (60, 40, 3)
        assert np.abs(photo[10, 8].astype(int) - (255, 0, 0)).max() < 12
        assert np.array_equal(photo, read_photo(path))

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_exif_orientation_is_applied(self, kind: str, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(blocks())
        inverse = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }
        stored = image.transpose(inverse[orientation]) if orientation in inverse else image
        options = {"lossless": True} if kind == "WEBP" else {"quality": 95, "subsampling": 0}
        photo = read_photo(encoded(stored, kind, exif=exif.tobytes(), **options))
        assert photo.shape == (60, 40, 3)
        assert np.abs(photo.astype(int) - blocks()).mean() < 6

    def test_photo_with_damaged_exif_is_read(self) -> None:
        data = encoded(Image.fromarray(blocks()), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")
        assert read_photo(data).shape == (60, 40, 3)

    def test_transparency_is_composited_on_white(self) -> None:
        rgba = np.zeros((4, 4, 4), np.uint8)
        rgba[:2] = (200, 100, 0, 255)
        rgba[2] = (0, 0, 0, 128)
        photo = read_photo(encoded(Image.fromarray(rgba)))
        assert photo[0, 0].tolist() == [200, 100, 0]
        assert photo[2, 0].tolist() == [127, 127, 127]
        assert photo[3, 0].tolist() == [255, 255, 255]

    def test_transparent_palette_colour_becomes_white(self) -> None:
        image = Image.new("P", (4, 4), 1)
        image.putpalette([10, 20, 30, 40, 50, 60] + [0] * 762)
        image.putpixel((0, 0), 0)
        photo = read_photo(encoded(image, transparency=0))
        assert photo[0, 0].tolist() == [255, 255, 255]
        assert photo[1, 1].tolist() == [40, 50, 60]

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
    def test_every_png_mode_gives_rgb(self, mode: str) -> None:
        photo = read_photo(encoded(Image.fromarray(blocks()).convert(mode)))
        assert photo.shape == (60, 40, 3)

    def test_sixteen_bit_grey_is_scaled_not_clipped(self) -> None:
        deep = np.full((5, 5), 0x8000, np.uint16)
        assert read_photo(encoded(Image.fromarray(deep)))[0, 0].tolist() == [128, 128, 128]

    def test_cmyk_jpeg_is_converted_to_rgb(self) -> None:
        data = encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
        red, green, blue = read_photo(data)[4, 4].astype(int)
        assert red > 230
        assert max(green, blue) < 25

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_only_the_first_frame_of_an_animation_is_read(self, kind: str) -> None:
        frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue")]
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        assert read_photo(data)[3, 3].tolist() == [255, 0, 0]

    def test_large_jpeg_is_decoded_smaller_but_not_below_min_size(self) -> None:
        data = encoded(Image.fromarray(blocks(1600, 1200)), "JPEG", quality=95)
        small = read_photo(data, min_size=(240, 180))
        assert 240 <= small.shape[0] < 1600
        assert small.shape[1] >= 180
        full = fit_photo(read_photo(data), (240, 180))
        assert np.abs(fit_photo(small, (240, 180)).astype(int) - full).mean() < 1.5


class TestRejecting:
    @pytest.mark.parametrize(
        "data",
        [b"", b"hello", b"<html><body>not found</body></html>", b"\0" * 1000, encoded(Image.new("RGB", (9, 9)), "GIF")],
    )
    def test_data_that_is_not_a_photo_is_rejected(self, data: bytes) -> None:
        with pytest.raises(PhotoError) as caught:
            read_photo(data)
        assert caught.value.reason == "not_a_photo"
        assert "JPEG, PNG or WebP" in str(caught.value)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
    def test_truncated_photo_is_rejected(self, kind: str, share: float) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
        data = encoded(Image.fromarray(noise), kind)
        with pytest.raises(PhotoError) as caught:
            read_photo(data[: int(len(data) * share)])
        assert caught.value.reason == "truncated"

    @pytest.mark.parametrize("size", [(5000, 4001), (13000, 13000), (60000, 60000)])
    def test_too_large_photo_is_rejected_before_decoding(self, size: tuple[int, int]) -> None:
        with pytest.raises(PhotoError) as caught:
            read_photo(png_header(*size))
        assert caught.value.reason == "too_large"

    def test_missing_file_and_folder_are_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(PhotoError) as missing:
            read_photo(tmp_path / "no.jpg")
        assert missing.value.reason == "missing_photo"
        with pytest.raises(PhotoError) as folder:
            read_photo(tmp_path)
        assert folder.value.reason == "unreadable"

    @given(st.binary(max_size=400), st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 300))
    @settings(max_examples=150, deadline=None)
    def test_damage_gives_pixels_or_photo_error(self, junk: bytes, kind: str, position: int) -> None:
        data = bytearray(encoded(Image.fromarray(blocks(24, 18)), kind))
        data[position : position + len(junk)] = junk
        try:
            photo = read_photo(bytes(data))
        except PhotoError:
            return
        assert photo.dtype == np.uint8
        assert photo.ndim == 3

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((4, 4), np.uint8),
            np.zeros((4, 4, 3), np.float32),
            np.zeros((0, 4, 3), np.uint8),
            np.zeros((4, 4, 4), np.uint8),
        ],
    )
    def test_arrays_that_are_not_photos_are_rejected(self, array: np.ndarray) -> None:
        for use in (background_colour, photo_hash, to_jpeg, lambda a: fit_photo(a, (8, 8))):
            with pytest.raises(PhotoError, match="is not a photo"):
                use(array)


sizes = st.integers(1, 90)


class TestFitting:
    @given(sizes, sizes, sizes, sizes)
    @settings(max_examples=200, deadline=None)
    def test_result_has_the_frames_size_and_plain_photo_stays_plain(self, h: int, w: int, H: int, W: int) -> None:
        photo = np.full((h, w, 3), (250, 120, 7), np.uint8)
        framed = fit_photo(photo, (H, W))
        assert framed.shape == (H, W, 3)
        assert framed.dtype == np.uint8
        assert (framed == (250, 120, 7)).all()

    @given(st.integers(20, 90), st.integers(20, 90), st.integers(20, 90), st.integers(20, 90))
    @settings(max_examples=200, deadline=None)
    def test_product_is_centred_and_not_stretched(self, h: int, w: int, H: int, W: int) -> None:
        """A dark photo with a light border shows where it landed: same shape, in the middle."""
        photo = np.full((h, w, 3), 255, np.uint8)
        photo[2:-2, 2:-2] = 0
        dark = np.argwhere(fit_photo(photo, (H, W))[:, :, 0] < 128)
        (top, left), (bottom, right) = dark.min(axis=0), dark.max(axis=0) + 1
        scale = min(H / h, W / w)
        assert abs((bottom - top) - (h - 4) * scale) <= 2
        assert abs((right - left) - (w - 4) * scale) <= 2
        assert abs((top + bottom) / 2 - H / 2) <= 1.5
        assert abs((left + right) / 2 - W / 2) <= 1.5

    @given(sizes, sizes)
    @settings(max_examples=50, deadline=None)
    def test_photo_of_the_frames_size_is_unchanged(self, h: int, w: int) -> None:
        photo = np.random.default_rng(h * 100 + w).integers(0, 256, (h, w, 3), np.uint8)
        framed = fit_photo(photo, (h, w))
        assert np.array_equal(framed, photo)
        assert framed is not photo

    def test_padding_is_the_photos_own_background(self) -> None:
        photo = np.full((50, 100, 3), (230, 225, 210), np.uint8)
        photo[15:35, 30:70] = 0
        framed = fit_photo(photo, (100, 100))
        assert (framed[:24] == (230, 225, 210)).all()
        assert (framed[76:] == (230, 225, 210)).all()

    def test_downsampling_does_not_alias(self) -> None:
        photo = np.zeros((800, 800, 3), np.uint8)
        photo[::2] = 255
        inside = fit_photo(photo, (50, 50))[2:-2, 2:-2].astype(int)
        assert np.abs(inside - 127.5).max() < 3

    def test_empty_frame_raises(self) -> None:
        with pytest.raises(ValueError, match="at least 1 pixel"):
            fit_photo(blocks(), (0, 5))


@pytest.mark.photos
@real_photos
def test_real_photos_are_read_and_fitted() -> None:
    """The odd ones (greyscale, square, small, off white) and every fiftieth of the others."""
    odd = [1800, 25299, 35915, 44209, 44410, 44533, 5408, 9203, 9213, 2351, 6820]
    paths = sorted((PHOTOS / "images").iterdir())[::50] + [PHOTOS / f"images/{name}.jpg" for name in odd]
    white = 0
    for path in paths:
        photo = read_photo(path)
        framed = fit_photo(photo, (240, 180))
        assert framed.shape == (240, 180, 3)
        assert np.abs(background_colour(framed).astype(int) - background_colour(photo)).max() <= 2
        white += is_white_background(photo)
    assert 0.9 < white / len(paths) < 1


class TestBackground:
    def test_product_at_an_edge_does_not_change_the_background(self) -> None:
        photo = np.full((80, 60, 3), 250, np.uint8)
        photo[20:60, :30] = (120, 10, 10)
        assert background_colour(photo).tolist() == [250, 250, 250]
        assert is_white_background(photo)

    def test_grey_and_scenery_are_not_white(self) -> None:
        assert not is_white_background(np.full((80, 60, 3), 220, np.uint8))
        assert not is_white_background(blocks())

    def test_background_of_one_pixel_is_its_colour(self) -> None:
        assert background_colour(np.full((1, 1, 3), 9, np.uint8)).tolist() == [9, 9, 9]


class TestWriting:
    def test_png_is_lossless_and_jpeg_and_webp_are_close(self) -> None:
        smooth = np.linspace(0, 255, 60 * 40 * 3).reshape(60, 40, 3).astype(np.uint8)
        assert np.array_equal(read_photo(to_png(smooth)), smooth)
        for lossy in (decode_jpeg(to_jpeg(smooth)), read_photo(to_webp(smooth, 95))):
            assert np.abs(lossy.astype(int) - smooth).mean() < 4

    def test_non_contiguous_array_is_written(self) -> None:
        view = blocks()[::-1, ::2]
        assert np.array_equal(read_photo(to_png(view)), view)
        assert photo_hash(view) == photo_hash(view.copy())

    def test_hash_depends_on_pixels_and_shape(self) -> None:
        assert photo_hash(blocks()) == photo_hash(read_photo(to_png(blocks())))
        assert photo_hash(np.zeros((2, 8, 3), np.uint8)) != photo_hash(np.zeros((4, 4, 3), np.uint8))

    def test_damaged_stored_photo_raises(self) -> None:
        with pytest.raises(PhotoError, match="ingest"):
            decode_jpeg(to_jpeg(blocks())[:100])
