"""Files and directories are replaced completely or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from modiste.storage.atomic import atomic_dir, atomic_file, write_file


def write_dir(path: Path, text: str, existing: str) -> None:
    with atomic_dir(path, existing=existing) as partial:  # type: ignore[arg-type]
        (partial / "file").write_text(text)


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")
    with suppress(KeyboardInterrupt), atomic_file(path) as partial:
        partial.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_removing_the_temporary_file_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")
    with atomic_file(path) as partial:
        partial.write_bytes(b"new")
        partial.unlink()
    assert path.read_bytes() == b"old"


def test_failed_write_keeps_the_old_directory(tmp_path: Path) -> None:
    path = tmp_path / "dir"
    write_dir(path, "old", "replace")
    with suppress(KeyboardInterrupt), atomic_dir(path) as partial:
        (partial / "file").write_text("half")
        raise KeyboardInterrupt
    assert (path / "file").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("existing", "text"), [("replace", "new"), ("keep", "old"), ("refuse", "old")])
def test_existing_directory_is_replaced_kept_or_refused(tmp_path: Path, existing: str, text: str) -> None:
    path = tmp_path / "dir"
    write_dir(path, "old", "refuse")
    if existing == "refuse":
        with pytest.raises(OSError, match="not empty"):
            write_dir(path, "new", existing)
    else:
        write_dir(path, "new", existing)
    assert (path / "file").read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_empty_directory_is_replaced_even_if_existing_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dir"
    path.mkdir()
    write_dir(path, "new", "refuse")
    assert (path / "file").read_text() == "new"
