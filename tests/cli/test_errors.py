"""Every bad input of the command line: its exit code, its message with the remedy, and a shop that is as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from modiste.cli import main
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest
from tests.contents import contents, edit


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str, str]:
    """Exit code, error class, message and remedy of a command that fails; checked as text and as JSON."""
    words = [str(each) for each in arguments]
    exit_code = main(words)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert main([*words, "--json"]) == exit_code
    out, as_json = capsys.readouterr()
    assert out == ""
    error: dict[str, Any] = json.loads(as_json)["error"]
    assert list(error) == ["code", "message", "remedy"]
    assert error["remedy"]
    assert error["message"] in err
    assert error["remedy"] in err
    return exit_code, error["code"], error["message"], error["remedy"]


COMMANDS = ("similar", "recommend", "generate --out x.png")


@pytest.mark.parametrize("command", [*COMMANDS, "info", "train", "encode", "cluster"])
def test_no_shop(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = ["--random"] if command in COMMANDS else []
    found = fails(capsys, *command.split(), "--shop", tmp_path / "none", *start)
    assert found[:2] == (4, "shop_not_found")
    assert "modiste build" in found[3]
    assert not (tmp_path / "none").exists()


def test_a_half_built_shop(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Manifest.load(shop_copy).with_changes(model=None, encodings={}, clusters={}).save(shop_copy)
    before = contents(shop_copy)
    for command in ("similar", "recommend"):
        found = fails(capsys, command, "--shop", shop_copy, "--random")
        assert found[:2] == (4, "shop_incomplete")
        assert "modiste train" in found[3]
    assert contents(shop_copy) == before
    assert main(["info", "--shop", str(shop_copy), "--json"]) == 0


def test_a_wrong_schema(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(shop_copy / "shop.json", schema=99)
    before = contents(shop_copy)
    found = fails(capsys, "similar", "--shop", shop_copy, "--random")
    assert found[:2] == (4, "schema_error")
    assert "99" in found[2]
    assert fails(capsys, "ingest", "sample", "--shop", shop_copy)[1] == "schema_error"
    assert contents(shop_copy) == before


def test_encodings_of_another_model(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = Manifest.load(shop_copy)
    manifest.with_changes(encodings=manifest.encodings | {"model": "0123456789ab"}).save(shop_copy)
    found = fails(capsys, "similar", "--shop", shop_copy, "--random")
    assert found[:2] == (4, "stale_error")
    assert "modiste encode" in found[3]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("start", "exit_code", "name", "words"),
    [
        ((), 2, "bad_option", "No start"),
        (("--random", "--product", "x"), 2, "bad_option", "--product and --random"),
        (("--product", "x", "--seed", "1"), 2, "bad_option", "--random only"),
        (("--random", "--seed", "-1"), 2, "bad_option", "-1"),
        (("--product", "no-such"), 2, "unknown_product", "no-such"),
        (("--code", "1,2,3"), 2, "bad_code", "3"),
        (("--code", "1,2,three"), 2, "bad_code", "three"),
        (("--code", ""), 2, "bad_code", "not numbers"),
        (("--code", "nan,0,0,0,0,0,0,0"), 2, "bad_code", "finite"),
        (("--code", "inf,0,0,0,0,0,0,0"), 2, "bad_code", "finite"),
        (("--photo", "no-such.jpg"), 3, "photo_error", "no-such.jpg"),
        (("--photo", __file__), 3, "photo_error", "test_errors.py"),
    ],
)
def test_a_bad_start(
    built: Path,
    command: str,
    start: tuple[str, ...],
    exit_code: int,
    name: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(built)
    found = fails(capsys, *command.split(), "--shop", built, *start)
    assert found[:2] == (exit_code, name)
    assert words in found[2]
    assert contents(built) == before
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("similar", "--random", "-k", "0"), "bad_count"),
        (("similar", "--random", "-k", "9999"), "bad_count"),
        (("similar", "--random", "--method", "cosine"), "bad_option"),
        (("similar", "--random", "--scope", "world"), "bad_option"),
        (("similar", "--random", "--metric", "cosine"), "bad_option"),
        (("similar", "--random", "--tau", "-1"), "bad_option"),
        (("similar", "--random", "--sheet", "sheet.pdf"), "bad_option"),
        (("similar", "--random", "-k", "three"), "usage_error"),
        (("similar", "--no-such"), "usage_error"),
        (("recommend", "--random", "-k", "0"), "bad_count"),
        (("recommend", "--random", "--method", "cosine"), "bad_option"),
        (("generate", "--random", "--out", "design.bmp"), "bad_option"),
        (("generate", "--random", "--out", "design"), "bad_option"),
        (("generate", "--random"), "usage_error"),
        (("cluster", "--k", "9999"), "bad_count"),
        (("cluster", "--k", "0"), "bad_count"),
        (("cluster", "--method", "dbscan"), "bad_option"),
        (("cluster", "--features", "photo"), "bad_option"),
        (("train", "--preset", "huge"), "bad_option"),
        (("train", "--epochs", "0"), "bad_option"),
        (("train", "--epochs", "1", "--minutes", "1"), "bad_option"),
        (("train", "--latent", "0"), "bad_option"),
        (("ingest", "sample", "--size", "180"), "bad_option"),
        (("ingest", "sample", "--size", "200x200"), "bad_option"),
        (("ingest", "sample", "--background", "blue"), "bad_option"),
        (("ingest", "sample", "--categories", ","), "bad_option"),
    ],
)
def test_a_bad_option(built: Path, arguments: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(built)
    assert fails(capsys, *arguments, "--shop", built)[:2] == (2, name)
    assert contents(built) == before


def test_no_such_source(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(built)
    assert fails(capsys, "ingest", tmp_path / "none", "--shop", built)[:2] == (3, "source_error")
    assert contents(built) == before
    assert fails(capsys, "build", tmp_path / "none", "--shop", tmp_path / "new")[:2] == (3, "source_error")
    assert not (tmp_path / "new").exists()


def test_an_unknown_category(built: Path, shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = shop_copy.parent / "source"
    for category in ("hats", "bags"):
        (source / category).mkdir(parents=True)
        (source / category / "one.jpg").write_bytes(_photo(category))
    found = fails(capsys, "ingest", source, "--shop", shop_copy, "--categories", "hats,gloves")
    assert found[:2] == (2, "unknown_category")
    assert "bags, hats" in found[3]
    assert contents(shop_copy) == contents(built)


def _photo(text: str) -> bytes:
    import numpy as np

    from modiste.images.photo import to_jpeg

    pixels = np.full((80, 60, 3), 255, np.uint8)
    pixels[20:60, 10:50] = len(text) * 30
    return to_jpeg(pixels)


def test_another_process_writes(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with shop_write_lock(shop_copy):
        for command in ("encode", "cluster", "train"):
            assert fails(capsys, command, "--shop", shop_copy)[:2] == (4, "shop_busy")
        assert main(["info", "--shop", str(shop_copy)]) == 0  # readers are never kept out


def test_an_answer_that_cannot_be_written(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "no" / "such" / "folder" / "design.png"
    found = fails(capsys, "generate", "--shop", built, "--random", "--out", out)
    assert found[:2] == (6, "storage_error")


def test_debug_shows_the_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODISTE_DEBUG", "1")
    assert main(["info", "--shop", str(tmp_path)]) == 4
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_exits_with_130_and_leaves_the_shop(shop_copy: Path) -> None:
    before, runs = Manifest.load(shop_copy), set(shop_copy.glob("models/run-*/metrics.jsonl"))
    words = [sys.executable, "-m", "modiste", "train", "--shop", str(shop_copy), "--epochs", "500", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while set(shop_copy.glob("models/run-*/metrics.jsonl")) == runs and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert json.loads(err.strip().splitlines()[-1])["error"]["code"] == "interrupted"
    assert Manifest.load(shop_copy) == before
