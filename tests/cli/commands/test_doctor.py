"""The command doctor: for a machine, and for a shop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modiste.cli import main
from modiste.pipeline.doctor import machine
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths


@pytest.fixture(autouse=True)
def quick_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FRAME", (64, 48))
    monkeypatch.setattr(machine, "BENCHMARK_PRODUCTS", 2000)
    monkeypatch.setattr(machine, "BATCH_SIZES", (16,))


@pytest.mark.slow
def test_doctor_prints_the_machine_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result) == ["machine", "speed", "training", "advice"]
    assert all(value > 0 for value in result["speed"].values())
    ways = result["training"]["ways"]
    assert {way["batch_size"] for way in ways} == {64, 16}
    chosen = result["training"]["chosen"]
    assert any(all(way[name] == value for name, value in chosen.items()) for way in ways)


def test_doctor_prints_the_machine_as_tables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "find_spec", lambda _: None)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "This machine" in out
    assert "modiste[train]" in out


def test_doctor_reports_an_intact_shop(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--shop", str(small)]) == 0
    assert "Nothing is broken" in capsys.readouterr().out
    assert main(["doctor", "--shop", str(small), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["intact"], result["faults"], result["freed"]) == (True, [], 0)


def test_doctor_repairs_a_damaged_map(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = ShopPaths(small).map(str(Manifest.load(small).model))
    path.write_text("{")
    assert main(["doctor", "--shop", str(small)]) == 4
    out = capsys.readouterr().out
    assert "broken    models/" in out
    assert "modiste sliders --shop" in out
    assert main(["doctor", "--shop", str(small), "--repair"]) == 0
    assert "repaired  models/" in capsys.readouterr().out
    assert main(["doctor", "--shop", str(small)]) == 0


def test_doctor_fails_for_a_damaged_model(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = ShopPaths(small).model(str(Manifest.load(small).model)) / "decoder.onnx"
    path.write_bytes(path.read_bytes() + b"0")
    assert main(["doctor", "--shop", str(small), "--repair", "--json"]) == 4
    out, err = capsys.readouterr()
    fault = json.loads(out)["faults"][0]
    assert list(fault) == ["part", "where", "message", "remedy", "broken", "repaired"]
    assert (fault["part"], fault["broken"], fault["repaired"]) == ("model", True, False)
    assert "modiste restore" in fault["remedy"]
    assert err == ""


def test_doctor_fails_without_a_shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--shop", str(tmp_path / "none")]) == 4
    assert "There is no shop" in capsys.readouterr().err
    assert main(["doctor", "--repair"]) == 2
    assert "--shop" in capsys.readouterr().err
