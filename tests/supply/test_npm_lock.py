"""package-lock.json: exact versions, a hash for every file, and no registry."""

from __future__ import annotations

import json
import re

from tests.supply.locks import ROOT

WANTED = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
LOCK_TEXT = (ROOT / "package-lock.json").read_text(encoding="utf-8")
PACKAGES = {path: package for path, package in json.loads(LOCK_TEXT)["packages"].items() if path}


def test_npm_packages_are_locked_to_exact_versions():
    assert WANTED
    for name, version in WANTED.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} {version}: pin one version"
        assert PACKAGES[f"node_modules/{name}"]["version"] == version, "run npm install"


def test_npm_packages_have_hashes_and_are_for_development_only():
    for path, package in PACKAGES.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"]), path
        assert package.get("dev"), f"{path} is not a development dependency"


def test_npm_lock_names_no_registry():
    assert not any("resolved" in package for package in PACKAGES.values()), "install with the .npmrc of this folder"
    assert "registry" not in LOCK_TEXT
