"""The public names are exactly the documented ones."""

from __future__ import annotations

import re
from pathlib import Path

import modiste

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "python.md"


def test_public_names_are_the_documented_ones():
    documented = re.findall(r"^## modiste\.(\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == [name for name in modiste.__all__ if not name.startswith("__")]


def test_public_names_exist_and_are_sorted():
    for name in modiste.__all__:
        assert getattr(modiste, name) is not None
    assert sorted(modiste.__all__) == modiste.__all__
    assert dir(modiste) == modiste.__all__


def test_unknown_attribute_does_not_exist():
    assert not hasattr(modiste, "Vaporise")
