"""ONNX Runtime sends no telemetry and writes none to disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modiste.vae import onnx


def test_telemetry_is_disabled_before_import(built: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != onnx.TELEMETRY_VARIABLE}
    program = f"""
import os, sys
from modiste import Shop
shop = Shop.open({str(built)!r})
assert "onnxruntime" not in sys.modules
shop.decode(shop.random_design(1))
assert "onnxruntime" in sys.modules
print(os.environ[{onnx.TELEMETRY_VARIABLE!r}])
"""
    command = [sys.executable, "-c", program]
    process = subprocess.run(
        command, env=environment | {"HOME": str(home)}, capture_output=True, text=True, check=False
    )
    assert (process.stdout, process.returncode) == ("1\n", 0), process.stderr
    assert [path for path in home.rglob("*") if "Microsoft" in str(path) or "onnx" in path.name.lower()] == []


def test_users_can_enable_telemetry(built: Path) -> None:
    program = (
        "import os; from modiste.vae.onnx import *; import_onnx_runtime(); "
        f"print(os.environ[{onnx.TELEMETRY_VARIABLE!r}])"
    )
    environment = os.environ | {onnx.TELEMETRY_VARIABLE: "0"}
    process = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert process.stdout == "0\n"


def test_no_other_module_imports_onnxruntime() -> None:
    source = Path(onnx.__file__).parents[1]
    importers = [path for path in source.rglob("*.py") if "import onnxruntime" in path.read_text(encoding="utf-8")]
    assert importers == [Path(onnx.__file__)]
