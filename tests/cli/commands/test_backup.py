"""The commands backup and restore."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modiste.cli import main


def test_shop_is_backed_up_and_restored(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, restored = tmp_path / "shop.zip", tmp_path / "restored"
    assert main(["backup", "--shop", str(small), "--out", str(file)]) == 0
    assert "24 products" in capsys.readouterr().out
    assert main(["restore", str(file), "--shop", str(restored)]) == 0
    assert "24 products" in capsys.readouterr().out
    assert main(["info", "--shop", str(restored), "--json"]) == 0


def test_backup_and_restore_print_json(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "shop.zip"
    assert main(["backup", "--shop", str(small), "--out", str(file), "--json"]) == 0
    backup = json.loads(capsys.readouterr().out)
    assert list(backup) == ["file", "shop", "bytes", "files", "products"]
    assert backup["bytes"] == file.stat().st_size
    assert main(["restore", str(file), "--shop", str(tmp_path / "restored"), "--json"]) == 0
    restored = json.loads(capsys.readouterr().out)
    assert (restored["products"], restored["files"], restored["modiste"]) == (24, backup["files"], "0.1.0")


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (("backup", "--shop", "none", "--out", "x.zip"), 4, "shop_not_found"),
        (("backup", "--shop", "small", "--out", "small/x.zip"), 2, "bad_option"),
        (("backup", "--shop", "small", "--out", "no/such/x.zip"), 6, "storage_error"),
        (("backup", "--shop", "small"), 2, "usage_error"),
        (("restore", "none.zip", "--shop", "new"), 2, "bad_option"),
        (("restore", "small/shop.json", "--shop", "new"), 4, "schema_error"),
        (("restore", "small/shop.json", "--shop", "small"), 2, "bad_option"),
    ],
)
def test_invalid_arguments_fail_and_write_nothing(
    words: tuple[str, ...],
    exit_code: int,
    code: str,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(small.parent)
    assert main([*words, "--json"]) == exit_code
    out, err = capsys.readouterr()
    error = json.loads(err)["error"]
    assert out == ""
    assert error["code"] == code
    assert error["remedy"]
    assert [path.name for path in small.parent.iterdir()] == ["small"]
