"""config.json round trip and validation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from modiste.errors import SchemaError, ShopIncomplete, ShopNotFound
from modiste.vae.card import write_card
from modiste.vae.config import ModelConfig, new_model_id

CONFIG = ModelConfig("abc", "default", (240, 180), 2, (0.5, -1.0), kl_per_latent=(1.0, 0.0), validation_ids=("x",))


def test_round_trip(tmp_path: Path) -> None:
    CONFIG.save(tmp_path)
    assert ModelConfig.load(tmp_path) == CONFIG


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    path = CONFIG.save(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": "new"}))
    assert ModelConfig.load(tmp_path) == CONFIG


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 99},
        {"epsilon": [1.0]},
        {"epsilon": [1.0, {}]},
        {"epsilon": [1.0, float("nan")]},
        {"epsilon": [1.0, 10**400]},
        {"frame": [0, 5]},
        {"frame": [5.5, 5]},
        {"frame": 3},
        {"latent": "x"},
        {"latent": 2.0},
        {"model_id": None},
        {"background": [0, 0, 256]},
        {"network": []},
        {"validation_ids": [1]},
        {"files": {"encoder.onnx": 3}},
    ],
)
def test_damaged_config_raises_schema_error(tmp_path: Path, change: dict) -> None:
    path = CONFIG.save(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SchemaError, match=r"config\.json"):
        ModelConfig.load(tmp_path)


def test_missing_or_unreadable_config_raises(tmp_path: Path) -> None:
    with pytest.raises(ShopIncomplete):
        ModelConfig.load(tmp_path)
    for text in ("{", "[" * 100_000):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(SchemaError):
            ModelConfig.load(tmp_path)
    (tmp_path / "config.json").write_text('{"schema": 1}')
    with pytest.raises(SchemaError, match="model_id"):
        ModelConfig.load(tmp_path)


def test_model_id_depends_on_every_part() -> None:
    ids = {new_model_id("a", "b"), new_model_id("ab"), new_model_id("a", "c"), new_model_id("a", "b", 1)}
    assert len(ids) == 4


def test_model_card_contains_the_metrics(tmp_path: Path) -> None:
    config = ModelConfig("abc", "default", (240, 180), 2, (0.5, -1.0), metrics={"psnr": 21.5}, kl_per_latent=(1.0, 0.0))
    text = write_card(config, tmp_path).read_text()
    assert "21.50 dB" in text
    assert "1 of 2" in text


def test_code_of_the_model_card_runs_until_it_opens_a_shop(tmp_path: Path) -> None:
    text = write_card(CONFIG, tmp_path).read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with pytest.raises(ShopNotFound, match="my-shop"):
        exec(compile(code, "README.md", "exec"), {})
