"""The files of the page: nothing inline, nothing from elsewhere, every module of the first screen announced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import modiste.studio

STATIC = Path(modiste.studio.__file__).parent / "static"
IMPORT = re.compile(r'^import .* from "\./([\w-]+\.js)";$', re.MULTILINE)
pages = pytest.mark.parametrize("page", sorted(STATIC.glob("*.html")), ids=lambda page: page.name)


def needed(module: str, held: set[str]) -> set[str]:
    """A module and all that it imports, at any depth."""
    if module not in held:
        held.add(module)
        for each in IMPORT.findall((STATIC / "js" / module).read_text(encoding="utf-8")):
            needed(each, held)
    return held


def test_every_module_of_the_first_screen_is_preloaded():
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    preloaded = re.findall(r'<link rel="modulepreload" href="/static/js/([\w-]+\.js)">', html)
    assert len(preloaded) == len(set(preloaded))
    assert set(preloaded) == needed("page.js", needed("main.js", set())) - {"main.js"}


@pages
def test_pages_hold_nothing_inline_and_nothing_from_elsewhere(page: Path):
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert all('src="/' in tag for tag in re.findall(r"<script[^>]*>", html))
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)


@pytest.mark.parametrize("module", sorted(STATIC.rglob("*.js")), ids=lambda module: module.name)
def test_modules_import_only_their_neighbours_and_write_no_markup(module: Path):
    text = module.read_text(encoding="utf-8")
    for each in re.findall(r'^import .*"([^"]+)";$|\bimport\("([^"]+)"\)', text, re.MULTILINE):
        path = each[0] or each[1]
        assert path.startswith("./"), f"{module.name} imports {path}"
        assert (module.parent / path).is_file(), f"{module.name} imports {path}"
    assert not re.search(r"\.(?:innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write|\beval\(", text)
