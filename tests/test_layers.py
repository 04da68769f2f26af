"""Layers import one way, no modules import each other in a circle, and heavy frameworks stay in their packages."""

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

# A room may import rooms of a lower layer, and itself. Rooms of one layer do not import each other.
LAYERS = (
    {"errors", "choices", "jit", "_version"},
    {"progress", "isolation"},
    {"images", "parallel"},
    {"latent"},
    {"sources"},
    {"storage"},
    {"search", "vae", "drawing"},
    {"shop"},
    {"pipeline"},
    {"evaluate", "server", "distributed"},
    {"cli"},
)
LAYER_OF = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}

# A framework, and the only packages whose modules may import it.
ONLY_IN = {
    "torch": ("modiste.vae.training",),
    "safetensors": ("modiste.vae.training",),
    "onnx": ("modiste.vae.training",),
    "ray": ("modiste.distributed",),
    "typer": ("modiste.cli",),
}
# Never at the top of a module, so that a command that does not cluster or train does not load them.
ONLY_LAZILY = ("sklearn", "modiste.vae.training", "kagglehub", "huggingface_hub", "ray")
# Loading a file with one of these runs code from the file.
FORBIDDEN = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
MAX_MODULES = 20  # in one folder


@dataclass(frozen=True)
class Import:
    """One import: its file and line, the name that it imports, and whether it runs when its module is imported."""

    path: Path
    line: int
    name: str
    eager: bool

    @property
    def module(self) -> str:
        """The dotted name of the module that imports."""
        return module_of(self.path)

    @property
    def room(self) -> str:
        """The room of the module that imports; "" for the package itself."""
        return room_of(self.module)

    def __str__(self) -> str:
        return f"{self.path.relative_to(SOURCE.parent)}:{self.line} imports {self.name}"


def module_of(path: Path) -> str:
    """Return the dotted name of a file's module."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """Return the room of one of our modules: the folder, or the file, directly below the package."""
    first = module.split(".")[1] if "." in module else ""
    # `python -m modiste` starts the command line.
    return "cli" if first == "__main__" else first


def imports_of(path: Path) -> Iterator[Import]:
    """Yield every import in a file, those inside functions and for type checkers only among them."""

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
                yield from walk(child, eager and not is_deferred(child))

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), True)


def is_deferred(node: ast.AST) -> bool:
    """Return whether the code inside a node does not run when its module is imported."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


MODULES = sorted((SOURCE / "modiste").rglob("*.py"))
NAMES = {module_of(path) for path in MODULES}
IMPORTS = [each for path in MODULES for each in imports_of(path)]


def within(name: str, package: str) -> bool:
    """Return whether a dotted name is a package or lies in it."""
    return name == package or name.startswith(package + ".")


def imported_module(name: str) -> str | None:
    """Return our module that an imported name is or comes from; None for other packages' names."""
    if name in NAMES:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in NAMES else None


def find_cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    cycles: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for other in graph[module]:
            if other not in order:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], order[other])
        if lowest[module] == order[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                cycles.append(sorted(group))

    for module in graph:
        if module not in order:
            visit(module)
    return cycles


def test_every_room_has_a_layer():
    assert {room_of(module_of(path)) for path in MODULES} - {""} == set(LAYER_OF)


def test_rooms_import_lower_layers_only():
    wrong: list[str] = []
    for each in IMPORTS:
        module = imported_module(each.name)
        if module is None or not each.room:
            continue
        room = room_of(module)
        if not room:
            wrong.append(f"{each}; rooms do not import the package itself")
        elif room != each.room and LAYER_OF[room] >= LAYER_OF[each.room]:
            wrong.append(f"{each}; {each.room} may not import {room}")
    wrong = [line for line in wrong if "__main__" not in line]
    assert not wrong, "\n".join(wrong)


def test_modules_have_no_import_cycles():
    graph: dict[str, set[str]] = {name: set() for name in NAMES}
    for each in IMPORTS:
        module = imported_module(each.name)
        if module not in (None, "modiste", each.module):
            graph[each.module].add(str(module))
    graph["modiste"] = set()  # its names are imported when they are first used
    assert find_cycles(graph) == []


def test_find_cycles_returns_the_cycle():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set[str](), "e": {"a"}}
    assert find_cycles(graph) == [["a", "b", "c"]]


def test_no_folder_exceeds_the_module_limit():
    folders = {path.parent for path in MODULES}
    modules = {folder: [path for path in folder.glob("*.py") if path.name != "__init__.py"] for folder in folders}
    crowded = [f"{folder}: {len(files)} modules" for folder, files in modules.items() if len(files) > MAX_MODULES]
    assert not crowded, "\n".join(crowded)


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_frameworks_stay_in_their_packages(package: str):
    wrong = [
        str(each)
        for each in IMPORTS
        if within(each.name, package) and not any(within(each.module, home) for home in ONLY_IN[package])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", ONLY_LAZILY)
def test_slow_imports_are_deferred(package: str):
    homes = (package, *ONLY_IN.get(package, ()))
    wrong = [
        str(each)
        for each in IMPORTS
        if within(each.name, package) and each.eager and not any(within(each.module, home) for home in homes)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_imported_package_is_declared():
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *extras["train"], *extras["hub"], *extras["scale"], "modiste"]
    names = {re.split(r"[\[<>=!~ ;]", each)[0].replace("-", "_") for each in declared}
    called = {"PIL": "pillow", "sklearn": "scikit_learn", "yaml": "pyyaml"}
    wrong: list[str] = []
    for import_ in IMPORTS:
        top = import_.name.split(".")[0]
        if top not in sys.stdlib_module_names and called.get(top, top) not in names:
            wrong.append(f"{import_}, which pyproject.toml does not declare")
    assert not wrong, "\n".join(wrong)


def test_no_module_uses_pickle():
    wrong = [str(i) for i in IMPORTS if i.name.split(".")[0] in FORBIDDEN or within(i.name, "torch.load")]
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "pd.read_pickle"):
                wrong.append(f"{path}:{node.lineno} calls {ast.unparse(node.func)}")
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
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
def test_import_does_not_load_slow_packages(program: str, absent: list[str]):
    ask = f"import sys; {program}; print(*(name for name in {absent!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
