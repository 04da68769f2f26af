"""The page's files: no import cycle, nothing inline, nothing from another origin, the first screen preloaded."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

import modiste.server
from modiste.server.routes.pages import load_static_file

STATIC = Path(modiste.server.__file__).parent / "static"
JS = STATIC / "js"
STATIC_IMPORT = re.compile(r'^(?:import|export)\b[^"]*? from "([^"]+)";$|^import "([^"]+)";$', re.MULTILINE)
LAZY_IMPORT = re.compile(r'\bimport\("([^"]+)"\)(?!\.[A-Z])')  # not the types of JSDoc: import("./x.js").Type
MODULES = sorted(path.relative_to(JS).as_posix() for path in JS.rglob("*.js"))
STRING_OR_REGEX = re.compile(r'"[^"]*"|/(?![/*])(?:\\.|[^/\\])+/')
# A folder imports itself and the folders before it; modules in no folder import all of them.
FOLDERS = ["core", "design", "results", "map"]
MAX_MODULES = 20  # in a folder

pages = pytest.mark.parametrize("page", sorted(STATIC.glob("*.html")), ids=lambda page: page.name)
modules = pytest.mark.parametrize("module", MODULES)


def imported_module(module: str, path: str) -> str:
    """Return the module that a relative import names."""
    assert path.startswith(("./", "../")), f"{module} imports {path}"
    file = (JS / module).parent / path
    assert file.is_file(), f"{module} imports {path}"
    return file.resolve().relative_to(JS.resolve()).as_posix()


@cache
def static_imports(module: str) -> frozenset[str]:
    """Return the modules that a module imports when it is loaded."""
    imports = STATIC_IMPORT.findall((JS / module).read_text(encoding="utf-8"))
    return frozenset(imported_module(module, first or second) for first, second in imports)


@cache
def lazy_imports(module: str) -> frozenset[str]:
    """Return the modules that a module imports later, with `import()`."""
    imports = LAZY_IMPORT.findall((JS / module).read_text(encoding="utf-8"))
    return frozenset(imported_module(module, path) for path in imports)


def folder(module: str) -> str:
    """Return the folder of a module, "" for one in `js/` itself."""
    return PurePosixPath(module).parts[0] if "/" in module else ""


def reachable(module: str, seen: set[str]) -> set[str]:
    """Return a module and everything that it imports when it is loaded, at any depth."""
    if module not in seen:
        seen.add(module)
        for each in static_imports(module):
            reachable(each, seen)
    return seen


def cycles(imports: dict[str, frozenset[str]]) -> list[list[str]]:
    """Return the import cycles that a depth-first search meets, each as a path that ends where it began."""
    cycle_paths: list[list[str]] = []
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            cycle_paths.append([*path[path.index(module) :], module])
        elif module not in done:
            for each in sorted(imports[module]):
                visit(each, [*path, module])
            done.add(module)

    for module in imports:
        visit(module, [])
    return cycle_paths


def test_import_cycles_are_detected():
    one_way = {"a": frozenset({"b", "c"}), "b": frozenset({"c"}), "c": frozenset()}
    assert cycles(one_way) == []
    assert cycles({**one_way, "c": frozenset({"a"})}) == [["a", "b", "c", "a"]]


def test_modules_have_no_import_cycles():
    assert cycles({each: static_imports(each) | lazy_imports(each) for each in MODULES}) == []


@modules
def test_modules_import_only_earlier_folders(module: str):
    allowed = FOLDERS[: FOLDERS.index(folder(module)) + 1] if folder(module) else ["", *FOLDERS]
    assert {folder(each) for each in static_imports(module)} <= set(allowed)


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_are_small(name: str):
    assert 0 < len(list((JS / name).iterdir())) <= MAX_MODULES


def test_every_module_of_the_first_screen_is_preloaded():
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    preloaded = re.findall(r'<link rel="modulepreload" href="/static/js/([\w/-]+\.js)">', html)
    assert len(preloaded) == len(set(preloaded))
    assert set(preloaded) == reachable("page.js", reachable("main.js", set())) - {"main.js"}


@pages
def test_pages_have_no_inline_code_and_no_other_origins(page: Path):
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert all('src="/' in tag for tag in re.findall(r"<script[^>]*>", html))
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)


@pytest.mark.parametrize("module", sorted(STATIC.rglob("*.js")), ids=lambda module: module.name)
def test_modules_do_not_write_html_or_call_eval(module: Path):
    text = module.read_text(encoding="utf-8")
    assert not re.search(r"\.(?:innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write|\beval\(", text)


@pytest.mark.parametrize("path", sorted([*JS.rglob("*.js"), *STATIC.rglob("*.css")]), ids=lambda path: path.name)
def test_only_comments_are_removed_from_served_files(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    served = load_static_file(path.relative_to(STATIC).as_posix()).body.decode()
    lines = iter(source.splitlines())
    is_in_template = is_in_comment = False
    for line in served.splitlines():
        # Every line between this one and the line served before it is a comment outside a template string.
        while (skipped := next(lines)) != line or is_in_comment:
            text = skipped.strip()
            assert not is_in_template
            assert is_in_comment or text.startswith(("//", "/*")), skipped
            is_in_comment = not text.startswith("//") and not text.endswith("*/")
        is_in_template ^= STRING_OR_REGEX.sub("", line).count("`") % 2 == 1
    assert all(rest.strip().startswith(("//", "/*", "*")) for rest in lines)
    assert not re.search(r"^\s*//", served, re.MULTILINE)
