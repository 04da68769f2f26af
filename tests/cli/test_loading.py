"""What each command loads of the heavy libraries: a command's start is mostly its imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modiste import Shop
from modiste.cli.app import app

HEAVY = {
    "fastapi",
    "httpx",
    "lancedb",
    "numba",
    "onnxruntime",
    "pandas",
    "scipy",
    "sklearn",
    "torch",
    "uvicorn",
    "pyarrow",
    "numpy",
    "PIL",
    "rich",
}
ASKING = {"pyarrow", "numpy", "PIL", "rich"}
SEARCH = {"numba", "scipy"}  # scipy because numba asks for it
# A command's arguments after its name, and all that it may load of the above.
LOADS: dict[str, tuple[list[str], set[str]]] = {
    "--version": ([], {"rich"}),
    "--help": ([], {"rich"}),
    "info": (["--shop", "SHOP", "--json"], ASKING),
    "similar": (["--shop", "SHOP", "--product", "PRODUCT", "--json"], ASKING),
    "recommend": (["--shop", "SHOP", "--product", "PRODUCT", "--json"], ASKING | SEARCH),
    "generate": (["--shop", "SHOP", "--product", "PRODUCT", "--out", "OUT", "--json"], ASKING | {"onnxruntime"}),
}


@pytest.mark.parametrize("command", LOADS)
def test_a_command_loads_no_more_than_it_needs(command: str, built: Path, tmp_path: Path) -> None:
    arguments, allowed = LOADS[command]
    meant = {"SHOP": str(built), "OUT": str(tmp_path / "out.png"), "PRODUCT": Shop.open(built).catalogue.ids[0]}
    asked = [command, *(meant.get(each, each) for each in arguments)]
    program = (
        f"import sys; from modiste.cli import main; code = main({asked!r});"
        f"print(code, *sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    code, *loaded = done.stderr.split()
    assert code == "0"
    assert set(loaded) <= allowed


def test_the_list_has_every_command_that_asks() -> None:
    callbacks = [command.callback for command in app.registered_commands if command.callback]
    names = {each.__name__ for each in callbacks if each.__module__ == "modiste.cli.commands.query"}
    assert names == {name for name in LOADS if not name.startswith("-")}
