"""The doctor measures and says what it found."""

from __future__ import annotations

import json

import pytest

from modiste.cli import main
from modiste.shop import doctoring


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctoring, "FRAME", (64, 48))
    monkeypatch.setattr(doctoring, "PRODUCTS", 2000)
    monkeypatch.setattr(doctoring, "OTHER_BATCHES", (16,))


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["machine", "speed", "training", "advice"]
    assert all(value > 0 for value in found["speed"].values())
    ways = found["training"]["ways"]
    assert {way["batch_size"] for way in ways} == {64, 16}
    chosen = found["training"]["chosen"]
    assert any(all(way[name] == value for name, value in chosen.items()) for way in ways)


def test_as_tables(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctoring, "find_spec", lambda _: None)
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "This machine" in shown
    assert "modiste[train]" in shown
