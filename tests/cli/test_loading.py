"""The heavy libraries that each command imports, which take most of its start."""

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
QUERY = {"pyarrow", "numpy", "PIL", "rich"}
SEARCH = {"numba", "scipy"}  # numba imports scipy
DRAWING = {"onnxruntime", "lancedb", "pandas", *SEARCH}  # the exemplar's photo is in the database
# The arguments of a command, and the heavy libraries that it may import.
LOADS: dict[str, tuple[list[str], set[str]]] = {
    "--version": ([], {"rich"}),
    "--help": ([], {"rich"}),
    "info": (["--shop", "SHOP", "--json"], QUERY),
    "similar": (["--shop", "SHOP", "--product", "PRODUCT", "--json"], QUERY),
    "recommend": (["--shop", "SHOP", "--product", "PRODUCT", "--json"], QUERY | SEARCH),
    "generate": (["--shop", "SHOP", "--product", "PRODUCT", "--out", "OUT", "--json"], QUERY | DRAWING),
}


@pytest.mark.parametrize("command", LOADS)
def test_commands_import_only_what_they_need(command: str, built: Path, tmp_path: Path) -> None:
    arguments, allowed = LOADS[command]
    values = {"SHOP": str(built), "OUT": str(tmp_path / "out.png"), "PRODUCT": Shop.open(built).catalogue.ids[0]}
    words = [command, *(values.get(each, each) for each in arguments)]
    program = (
        f"import sys; from modiste.cli import main; code = main({words!r});"
        f"print(code, *sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    code, *loaded = done.stderr.split()
    assert code == "0"
    assert set(loaded) <= allowed


def test_every_query_command_is_listed() -> None:
    callbacks = [command.callback for command in app.registered_commands if command.callback]
    names = {each.__name__ for each in callbacks if each.__module__ == "modiste.cli.commands.query"}
    assert names == {name for name in LOADS if not name.startswith("-")}
