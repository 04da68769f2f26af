"""Folder per category: products, ids and rejections."""

from __future__ import annotations

from pathlib import Path

from modiste.sources.folder import FolderSource
from modiste.sources.record import Record, Rejection
from tests.sources.shops import photo_files


def test_photos_become_records_and_others_rejections(tmp_path: Path) -> None:
    photo_files(
        tmp_path, "Bags/tote.JPG", "Bags/leather/tote.png", "footwear/boot 1.webp", "loose.jpeg", "Bags/tote.png"
    )
    photo_files(tmp_path, "Bags/moving.gif", "Bags/.DS_Store", ".git/x.jpg", "README.md")
    source = FolderSource(tmp_path)
    rows = list(source.records())
    assert [(row.id, row.category) for row in rows if isinstance(row, Record)] == [
        ("loose", "uncategorised"),
        ("Bags/tote", "bags"),
        ("Bags/leather/tote", "bags"),
        ("footwear/boot 1", "footwear"),
    ]
    assert [(row.id, row.reason) for row in rows if isinstance(row, Rejection)] == [
        ("Bags/moving.gif", "not_a_photo"),
        ("Bags/tote", "duplicate_id"),
    ]
    assert source.count() == len(rows)


def test_loop_of_links_is_not_followed(tmp_path: Path) -> None:
    photo_files(tmp_path, "bags/tote.jpg")
    (tmp_path / "bags" / "again").symlink_to(tmp_path)
    assert len(list(FolderSource(tmp_path).records())) == 1
