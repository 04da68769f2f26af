"""The rooms import one way only, and the heavy frameworks stay where they are needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

# A room may import rooms of a lower layer, and itself. Rooms of one layer do not know each other.
LAYERS = (
    {"errors"},
    {"latent", "catalogue"},
    {"model"},
    {"store", "vae", "search"},
    {"shop"},
    {"evaluate", "studio", "scale"},
    {"cli"},
)
LAYER_OF = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}

# A framework and the only rooms that may import it.
ONLY_IN = {"torch": {"vae"}, "safetensors": {"vae"}, "onnx": {"vae"}, "ray": {"scale"}, "typer": {"cli"}}
# Never at the top of a module, so that what does not fit clusters or train does not wait for it.
ONLY_LAZILY = ("sklearn", "modiste.vae", "kagglehub", "huggingface_hub", "ray")
# Loading one of these runs whatever the file says.
FORBIDDEN = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


@dataclass(frozen=True)
class Import:
    """One import: where it stands, what it names, and whether it runs when its module is imported."""

    path: Path
    line: int
    name: str
    eager: bool

    @property
    def room(self) -> str:
        """The room that imports; "" for the package itself."""
        return room_of(self.path)

    def __str__(self) -> str:
        return f"{self.path.relative_to(SOURCE.parent)}:{self.line} imports {self.name}"


def room_of(path: Path) -> str:
    """The room of a module's file: the folder, or the file, directly below the package."""
    first = path.relative_to(SOURCE / "modiste").parts[0]
    # `python -m modiste` is the command line by another door.
    return {"__init__.py": "", "__main__.py": "cli"}.get(first, first.removesuffix(".py"))


def imports_of(path: Path) -> Iterator[Import]:
    """Every import in a file, also inside functions and for type checkers only."""

    def walk(node: ast.AST, eager: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(path, child.lineno, alias.name, eager)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno}: imports are absolute here"
                for alias in child.names:
                    yield Import(path, child.lineno, f"{child.module}.{alias.name}", eager)
            else:
                yield from walk(child, eager and not waits(child))

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), True)


def waits(node: ast.AST) -> bool:
    """Whether what is inside a node does not run when its module is imported."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


MODULES = sorted((SOURCE / "modiste").rglob("*.py"))
IMPORTS = [found for path in MODULES for found in imports_of(path)]


def within(name: str, package: str) -> bool:
    """Whether a dotted name is a package or lies in it."""
    return name == package or name.startswith(package + ".")


def test_every_room_has_a_layer():
    assert {room_of(path) for path in MODULES} - {""} <= set(LAYER_OF)


def test_rooms_import_downwards_only():
    wrong: list[str] = []
    for found in IMPORTS:
        parts = found.name.split(".")
        if found.room and parts[0] == "modiste" and len(parts) > 1 and parts[1] in LAYER_OF:
            other = parts[1]
            if other != found.room and LAYER_OF[other] >= LAYER_OF[found.room]:
                wrong.append(f"{found}; {found.room} may not know {other}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_frameworks_stay_in_their_room(package: str):
    wrong = [str(i) for i in IMPORTS if within(i.name, package) and i.room not in ONLY_IN[package]]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", ONLY_LAZILY)
def test_slow_imports_wait_until_they_are_needed(package: str):
    own = {package.removeprefix("modiste.")} | ONLY_IN.get(package, set())
    wrong = [str(i) for i in IMPORTS if within(i.name, package) and i.eager and i.room not in own]
    assert not wrong, "\n".join(wrong)


def test_what_is_imported_is_declared():
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [
        *project["dependencies"],
        *extras["train"],
        *extras["hub"],
        *extras["scale"],
        "modiste",
    ]
    names = {re.split(r"[\[<>=!~ ;]", each)[0].replace("-", "_") for each in declared}
    called = {"PIL": "pillow", "sklearn": "scikit_learn", "yaml": "pyyaml"}
    wrong: list[str] = []
    for found in IMPORTS:
        top = found.name.split(".")[0]
        if top not in sys.stdlib_module_names and called.get(top, top) not in names:
            wrong.append(f"{found}, which pyproject.toml does not declare")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_unpickled():
    wrong = [str(i) for i in IMPORTS if i.name.split(".")[0] in FORBIDDEN or within(i.name, "torch.load")]
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "pd.read_pickle"):
                wrong.append(f"{path}:{node.lineno} calls {ast.unparse(node.func)}")
            if (
                isinstance(node, ast.keyword)
                and node.arg == "allow_pickle"
                and ast.unparse(node.value) != "False"
            ):
                wrong.append(f"{path}:{node.value.lineno} allows pickle")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import modiste", ["torch", "ray", "sklearn", "lancedb", "pandas", "onnxruntime"]),
        ("import modiste; modiste.Shop; modiste.build", ["torch", "ray", "sklearn"]),
        ("import modiste.shop", ["torch", "ray", "sklearn"]),
        ("import modiste.cli.app", ["torch", "ray", "sklearn", "lancedb", "pandas"]),
    ],
)
def test_importing_does_not_load(program: str, absent: list[str]):
    ask = f"import sys; {program}; print(*(name for name in {absent!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
