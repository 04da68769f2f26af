"""ONNX Runtime reports to nobody: not even what it would report is written down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modiste.vae import onnx


def test_it_is_told_before_it_starts(built: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    told = {name: value for name, value in os.environ.items() if name != onnx.TELEMETRY_VARIABLE}
    program = f"""
import os, sys
from modiste import Shop
shop = Shop.open({str(built)!r})
assert "onnxruntime" not in sys.modules
shop.decode(shop.random_design(1))
assert "onnxruntime" in sys.modules
print(os.environ[{onnx.TELEMETRY_VARIABLE!r}])
"""
    words = [sys.executable, "-c", program]
    ran = subprocess.run(words, env=told | {"HOME": str(home)}, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("1\n", 0), ran.stderr
    assert [path for path in home.rglob("*") if "Microsoft" in str(path) or "onnx" in path.name.lower()] == []


def test_who_wants_it_may_have_it(built: Path) -> None:
    program = (
        "import os; from modiste.vae.onnx import *; onnx_runtime(); "
        f"print(os.environ[{onnx.TELEMETRY_VARIABLE!r}])"
    )
    told = os.environ | {onnx.TELEMETRY_VARIABLE: "0"}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=told, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "0\n"


def test_nobody_else_imports_it() -> None:
    source = Path(onnx.__file__).parents[1]
    users = [
        path for path in source.rglob("*.py") if "import onnxruntime" in path.read_text(encoding="utf-8")
    ]
    assert users == [Path(onnx.__file__)]
