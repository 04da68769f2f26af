"""Folder of photos, one sub-folder per category: `shop/footwear/boot-7.jpg`, `shop/bags/leather/tote.png`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from modiste.sources.normalize import UNCATEGORISED, normalize_category, reject_duplicates
from modiste.sources.record import Record, Rejection

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class FolderSource:
    """Products of a folder: category = first sub-folder, id = path in the folder without the suffix.

    A photo in the folder itself is `uncategorised`. Any other file beside photos is a rejection, `not_a_photo`; hidden
    files, and other files in the folder itself (a README), are skipped.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"folder {folder}"

    def count(self) -> int:
        """Return the number of files."""
        return sum(1 for _ in self._files())

    def records(self) -> Iterator[Record | Rejection]:
        """Yield every product, by path."""
        return reject_duplicates(self._rows())

    def _rows(self) -> Iterator[Record | Rejection]:
        for path in self._files():
            relative = path.relative_to(self.folder)
            if not is_photo_name(path):
                detail = f"{relative.as_posix()} does not have the suffix of a JPEG, PNG or WebP"
                yield Rejection(relative.as_posix(), "not_a_photo", detail)
                continue
            category = normalize_category(relative.parts[0]) if len(relative.parts) > 1 else UNCATEGORISED
            yield Record(relative.with_suffix("").as_posix(), category, path)

    def _files(self) -> Iterator[Path]:
        for directory, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            parent = Path(directory)
            for name in sorted(files):
                if not name.startswith(".") and (parent != self.folder or is_photo_name(Path(name))):
                    yield parent / name


def is_photo_name(path: Path) -> bool:
    """Return whether the file's suffix is that of a photo that Modiste reads."""
    return path.suffix.lower() in PHOTO_SUFFIXES


def has_photos(folder: Path) -> bool:
    """Return whether there is at least one photo in `folder` or below."""
    return any(is_photo_name(Path(name)) for _, _, files in os.walk(folder) for name in files)
