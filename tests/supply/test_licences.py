"""Every package has an allowed licence, the list is current, and every third-party file is listed."""

from __future__ import annotations

import hashlib
import re
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from tests.supply.locks import ROOT, script

licences: Any = script("licences")
PAGE = (ROOT / "docs" / "reference" / "licences.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """Return the first two cells of each row under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", section, re.MULTILINE)[1:])


@pytest.mark.parametrize("part", licences.PARTS)
def test_page_lists_locked_packages_with_allowed_licences(part: str):
    heading, _ = licences.PARTS[part]
    listed = rows(heading)
    assert sorted(listed) == licences.locked(part), "run `make licences`"
    for name, licence in listed.items():
        assert licences.may_be_used(name, licence), f"{name}: {licence} is neither allowed nor judged"


def test_page_licences_match_the_package_metadata():
    listed = {name: licence for heading, _ in licences.PARTS.values() for name, licence in rows(heading).items()}
    here = {name: licences.licence_of(held) for name, held in licences.installed().items() if name in listed}
    assert len(here) > 50
    assert {name: listed[name] for name in here} == here, "run `make licences`"


def test_page_lists_npm_packages_with_allowed_licences():
    listed = rows(licences.NPM_HEADING)
    assert listed == licences.npm_licences(), "run `make licences`"
    assert {"typescript", "@biomejs/biome"} <= set(listed)
    for name, licence in listed.items():
        assert licences.may_be_used(name, licence), f"{name}: {licence} is neither allowed nor judged"


def test_every_judged_licence_is_needed_and_listed():
    listed = {name for part in licences.PARTS for name in licences.locked(part)}
    assert set(licences.JUDGED) <= listed
    for name, (licence, reason) in licences.JUDGED.items():
        assert f"| {name} | {licence} | {reason} |" in PAGE


class Metadata(Distribution):
    """A package whose metadata are its name and the given fields."""

    def __init__(self, **fields: str) -> None:
        self._about = Message()
        for key, value in {"Name": "some", **fields}.items():
            self._about[key.replace("_", "-")] = value

    @property
    def metadata(self) -> Any:
        return self._about

    def read_text(self, filename: str) -> None:
        return None

    def locate_file(self, path: Any) -> Path:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("fields", "licence", "fits"),
    [
        ({"License_Expression": "MIT AND Zlib"}, "MIT AND Zlib", True),
        ({"License_Expression": "GPL-3.0-only OR MIT"}, "GPL-3.0-only OR MIT", True),
        ({"License_Expression": "MIT AND GPL-3.0-only"}, "MIT AND GPL-3.0-only", False),
        ({"License": "Apache 2.0"}, "Apache-2.0", True),
        ({"License": "MIT", "Classifier": "License :: OSI Approved :: BSD License"}, "MIT", True),
        ({"Classifier": "License :: OSI Approved :: ISC License (ISCL)"}, "ISC", True),
        ({"Classifier": "License :: OSI Approved :: GNU Affero General Public License v3"}, None, False),
        ({"License": "for the asking"}, "for the asking", False),
        ({}, "none given", False),
    ],
)
def test_licence_is_read_from_metadata_and_checked(fields: dict[str, str], licence: str | None, fits: bool):
    found = licences.licence_of(Metadata(**fields))
    assert licence in (None, found)
    assert licences.may_be_used("some", found) is fits


SOURCE = ROOT / "src" / "modiste"
OURS = {".py", ".css", ".js", ".html", ".svg", ".typed"}
CLAIM = re.compile(
    r"copyright|\(c\) *\d{4}|@license|@preserve\b|spdx-license|licensed under|sourceMappingURL", re.IGNORECASE
)


def third_party_hashes() -> dict[str, str]:
    """Return the hash of each third-party file that the page lists."""
    section = PAGE.partition("\n## Third-party files in Modiste\n")[2]
    return dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| [^|]+ \| ([0-9a-f]{64}) \|$", section, re.MULTILINE))


def test_third_party_files_are_listed_with_their_hashes():
    listed = third_party_hashes()
    packed = [path for path in SOURCE.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    assert len(packed) > 100
    for path in packed:
        name = str(path.relative_to(ROOT))
        if name in listed:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == listed.pop(name), f"{name} was changed"
            continue
        assert path.suffix in OURS, f"{name} is not our own text: docs/reference/licences.md must name its owner"
        text = path.read_text(encoding="utf-8")
        assert not CLAIM.search(text), f"{name} says that it is somebody's: docs/reference/licences.md must say whose"
        longest = max(map(len, text.splitlines()), default=0)
        assert longest < 1000 or path.suffix == ".svg", f"{name} looks as if a program had packed it"
    assert not listed, "the page names files that are not there"
