"""Invalid input on the command line: the exit code, the message with its remedy, and an unchanged shop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from modiste.cli import main
from modiste.images.photo import to_jpeg
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest
from tests.contents import contents, edit


class Failure(NamedTuple):
    """The result of a command that fails."""

    exit_code: int
    code: str
    message: str
    remedy: str


def run_failing(capsys: pytest.CaptureFixture[str], *arguments: object) -> Failure:
    """Run a command that fails, as text and as JSON, and compare the two."""
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
    return Failure(exit_code, **error)


QUERY_COMMANDS = ("similar", "recommend", "generate --out x.png")


@pytest.mark.parametrize("command", [*QUERY_COMMANDS, "info", "train", "encode", "cluster"])
def test_missing_shop_exits_with_4_and_names_build(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = ["--random"] if command in QUERY_COMMANDS else []
    failure = run_failing(capsys, *command.split(), "--shop", tmp_path / "none", *start)
    assert failure[:2] == (4, "shop_not_found")
    assert "modiste build" in failure.remedy
    assert not (tmp_path / "none").exists()


def test_incomplete_shop_exits_with_4_and_names_train(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Manifest.load(shop_copy).with_changes(model=None, encodings={}, clusters={}).save(shop_copy)
    before = contents(shop_copy)
    for command in ("similar", "recommend"):
        failure = run_failing(capsys, command, "--shop", shop_copy, "--random")
        assert failure[:2] == (4, "shop_incomplete")
        assert "modiste train" in failure.remedy
    assert contents(shop_copy) == before
    assert main(["info", "--shop", str(shop_copy), "--json"]) == 0


def test_newer_schema_exits_with_4_and_leaves_the_shop_unchanged(
    shop_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(shop_copy / "shop.json", schema=99)
    before = contents(shop_copy)
    failure = run_failing(capsys, "similar", "--shop", shop_copy, "--random")
    assert failure[:2] == (4, "schema_error")
    assert "99" in failure.message
    assert run_failing(capsys, "ingest", "sample", "--shop", shop_copy).code == "schema_error"
    assert contents(shop_copy) == before


def test_encodings_of_another_model_exit_with_4_and_name_encode(
    shop_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = Manifest.load(shop_copy)
    manifest.with_changes(encodings=manifest.encodings | {"model": "0123456789ab"}).save(shop_copy)
    failure = run_failing(capsys, "similar", "--shop", shop_copy, "--random")
    assert failure[:2] == (4, "stale_error")
    assert "modiste encode" in failure.remedy


@pytest.mark.parametrize("command", QUERY_COMMANDS)
@pytest.mark.parametrize(
    ("start", "exit_code", "code", "text"),
    [
        ((), 2, "bad_option", "something to start from"),
        (("--random", "--product", "x"), 2, "bad_option", "--product and --random"),
        (("--product", "x", "--seed", "1"), 2, "bad_option", "`--seed` needs `--random`"),
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
def test_invalid_query_source_fails_and_writes_nothing(
    built: Path,
    command: str,
    start: tuple[str, ...],
    exit_code: int,
    code: str,
    text: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(built)
    failure = run_failing(capsys, *command.split(), "--shop", built, *start)
    assert failure[:2] == (exit_code, code)
    assert text in failure.message
    assert contents(built) == before
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("similar", "--random", "-k", "0"), "bad_count"),
        (("similar", "--random", "-k", "9999"), "bad_count"),
        (("similar", "--random", "--tau", "-1"), "bad_option"),
        (("similar", "--random", "--sheet", "sheet.pdf"), "bad_option"),
        (("similar", "--random", "-k", "three"), "bad_option"),
        (("similar", "--no-such"), "usage_error"),
        (("recommend", "--random", "-k", "0"), "bad_count"),
        (("generate", "--random", "--out", "design.bmp"), "bad_option"),
        (("generate", "--random", "--out", "design"), "bad_option"),
        (("generate", "--random"), "usage_error"),
        (("cluster", "--k", "9999"), "bad_count"),
        (("cluster", "--k", "0"), "bad_count"),
        (("train", "--epochs", "0"), "bad_option"),
        (("train", "--epochs", "1", "--minutes", "1"), "bad_option"),
        (("train", "--latent", "0"), "bad_option"),
        (("ingest", "sample", "--size", "180"), "bad_option"),
        (("ingest", "sample", "--size", "200x200"), "bad_option"),
        (("ingest", "sample", "--categories", ","), "bad_option"),
    ],
)
def test_invalid_option_exits_with_2_and_leaves_the_shop_unchanged(
    built: Path, arguments: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(built)
    assert run_failing(capsys, *arguments, "--shop", built)[:2] == (2, code)
    assert contents(built) == before


@pytest.mark.parametrize(
    ("arguments", "choices"),
    [
        (("similar", "--random", "--method"), "'likelihood', 'fixed-epsilon', 'mean'"),
        (("similar", "--random", "--scope"), "'cluster', 'catalogue'"),
        (("similar", "--random", "--metric"), "'euclidean', 'manhattan'"),
        (("recommend", "--random", "--method"), "'transport', 'shift', 'likelihood'"),
        (("cluster", "--method"), "'kmeans', 'mixture', 'category'"),
        (("cluster", "--features"), "'code', 'mean'"),
        (("train", "--preset"), "'default', 'paper'"),
        (("ingest", "sample", "--background"), "'any', 'white'"),
    ],
)
def test_unknown_choice_exits_with_2_and_lists_the_choices(
    built: Path, arguments: tuple[str, ...], choices: str, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = run_failing(capsys, *arguments, "cosine", "--shop", built)
    assert failure[:2] == (2, "bad_option")
    assert failure.message.startswith(f"Invalid value for '{arguments[-1]}': 'cosine' is not one of {choices}")
    assert failure.remedy == f"See `modiste {arguments[0]} --help`."


def test_missing_source_exits_with_3_and_makes_no_shop(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(built)
    assert run_failing(capsys, "ingest", tmp_path / "none", "--shop", built)[:2] == (3, "source_error")
    assert contents(built) == before
    assert run_failing(capsys, "build", tmp_path / "none", "--shop", tmp_path / "new")[:2] == (3, "source_error")
    assert not (tmp_path / "new").exists()


def test_unknown_category_exits_with_2_and_lists_the_categories(
    built: Path, shop_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = shop_copy.parent / "source"
    for grey, category in enumerate(("hats", "bags")):
        (source / category).mkdir(parents=True)
        pixels = np.full((80, 60, 3), 255, np.uint8)
        pixels[20:60, 10:50] = 100 + 50 * grey
        (source / category / "one.jpg").write_bytes(to_jpeg(pixels))
    failure = run_failing(capsys, "ingest", source, "--shop", shop_copy, "--categories", "hats,gloves")
    assert failure[:2] == (2, "unknown_category")
    assert "bags, hats" in failure.remedy
    assert contents(shop_copy) == contents(built)


def test_shop_locked_by_another_process_exits_with_4(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with shop_write_lock(shop_copy):
        for command in ("encode", "cluster", "train"):
            assert run_failing(capsys, command, "--shop", shop_copy)[:2] == (4, "shop_busy")
        assert main(["info", "--shop", str(shop_copy)]) == 0  # readers need no lock


def test_missing_output_folder_exits_with_6(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "no" / "such" / "folder" / "design.png"
    failure = run_failing(capsys, "generate", "--shop", built, "--random", "--out", out)
    assert failure[:2] == (6, "storage_error")


def test_debug_prints_the_stack_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODISTE_DEBUG", "1")
    assert main(["info", "--shop", str(tmp_path)]) == 4
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_exits_with_130_and_leaves_the_shop_unchanged(shop_copy: Path) -> None:
    before, runs = Manifest.load(shop_copy), set(shop_copy.glob("models/run-*/metrics.jsonl"))
    words = [sys.executable, "-m", "modiste", "train", "--shop", str(shop_copy), "--epochs", "500", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while set(shop_copy.glob("models/run-*/metrics.jsonl")) == runs and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert json.loads(err.strip().splitlines()[-1])["error"]["code"] == "interrupted"
    assert Manifest.load(shop_copy) == before
