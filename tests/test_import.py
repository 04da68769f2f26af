"""`import modiste` is light, and its public names are those that it lists."""

from __future__ import annotations

import subprocess
import sys

import modiste


def test_importing_modiste_loads_no_heavy_library() -> None:
    heavy = ("torch", "pandas", "lancedb", "pyarrow", "sklearn", "onnxruntime", "PIL", "typer")
    program = f"import modiste, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    for name in modiste.__all__:
        assert getattr(modiste, name) is not None
    assert dir(modiste) == modiste.__all__
