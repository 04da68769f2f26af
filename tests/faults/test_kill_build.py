"""`kill -9` at any moment of an ingest or a build: the shop is unchanged, or the same command continues."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modiste import Shop
from modiste.cli import main
from modiste.sources.record import Record

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def test_build_killed_at_any_moment_completes_when_repeated(
    tmp_path: Path, sample_records: list[Record], capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "photos"
    for record in sample_records:
        assert isinstance(record.photo, bytes)
        (source / record.category).mkdir(parents=True, exist_ok=True)
        (source / record.category / f"{record.id}.png").write_bytes(record.photo)
    words = ["build", str(source), "--shop", str(tmp_path / "shop"), "--size", "48x64", "--latent", "4"]
    words += ["--epochs", "3", "--json"]
    for seconds in (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0):
        process = subprocess.Popen([sys.executable, "-m", "modiste", *words], stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        process.kill()
        process.wait()
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["ingest"]["products"] == len(sample_records)
    shop = Shop.open(tmp_path / "shop")
    assert len(shop.similar(shop.random_design(0), 5)) == 5
