"""docs/architecture.md and its picture match the source: rooms, their order, and every module that the page names."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.test_layers import LAYERS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "modiste"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURE = ROOT / "docs" / "images" / "rooms.svg"
SVG = "{http://www.w3.org/2000/svg}"


def drawn_layers() -> list[set[str]]:
    """Return the rooms of each layer in the picture, from top to bottom."""
    layers: list[set[str]] = []
    for group in ElementTree.parse(PICTURE).iter(f"{SVG}g"):
        if group.get("class") == "layer":
            rooms = {text.text or "" for text in group.iter(f"{SVG}text") if text.get("class") == "room"}
            layers.append(rooms)
    return layers


def test_picture_shows_the_layers_of_test_layers():
    assert drawn_layers()[::-1] == list(LAYERS)


def test_alt_text_of_the_picture_names_every_room_in_order():
    text = re.search(r"!\[([^\]]*)\]\(images/rooms\.svg\)", PAGE)
    assert text is not None
    words = re.findall(r"\w+", text[1].partition(":")[2])
    rooms = [word for word in words if any(word in layer for layer in LAYERS)]
    layer_of = {room: number for number, layer in enumerate(LAYERS) for room in layer}
    assert sorted(rooms) == sorted(layer_of)
    numbers = [layer_of[room] for room in rooms]
    assert numbers == sorted(numbers, reverse=True)


def test_every_module_named_on_the_page_exists():
    named = set(re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`", PAGE)) - {"src/modiste"}
    assert len(named) > 40
    roots = {name: ROOT if name.startswith("tests/") else SOURCE for name in named}
    assert not [name for name, root in roots.items() if not (root / name).exists()]
