from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modiste.errors import BadOption, ShopNotFound, SourceError, UnknownCategory
from modiste.images.photo import decode_jpeg
from modiste.pipeline.ingest import ingest
from modiste.shop.shop import Shop
from modiste.sources.record import Record, Rejection, Url
from modiste.storage.manifest import Manifest
from tests.small import FRAME, Listed


def png(colour: tuple[int, int, int], size: tuple[int, int] = (60, 80), edge: int = 255) -> bytes:
    """Return a PNG of a square of one colour on a grey-to-white gradient."""
    pixels = np.full((size[1], size[0], 3), edge, np.uint8)
    pixels[size[1] // 4 : -size[1] // 4, size[0] // 4 : -size[0] // 4] = colour
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def record(number: int, category: str = "hats", **attributes: Any) -> Record:
    return Record(f"p{number}", category, png((number * 9 % 256, 40, 90)), attributes)


def read_rejections(root: Path) -> list[dict[str, str]]:
    with (root / "rejected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_product_is_stored_with_its_attributes(tmp_path: Path) -> None:
    source = Listed([record(1, colour="red"), record(2, "bags", straps=2)])
    reports: list[dict[str, Any]] = []
    summary = ingest(source, tmp_path / "shop", frame=FRAME, on_progress=reports.append)
    assert (summary.added, summary.products, summary.categories) == (2, 2, {"bags": 1, "hats": 1})
    assert reports[-1] == {"stage": "ingest", "done": 2, "total": 2}
    shop = Shop.open(tmp_path / "shop", need="catalogue")
    assert shop.products["id"].tolist() == ["p1", "p2"]
    assert shop.products["colour"].tolist()[0] == "red"
    assert shop.photo("p2").shape == (*FRAME, 3)
    assert decode_jpeg(shop.jpeg("p1")).dtype == np.uint8
    assert read_rejections(tmp_path / "shop") == []


def test_second_ingest_adds_and_updates_products(tmp_path: Path) -> None:
    ingest(Listed([record(1), record(2), record(3)]), tmp_path, frame=FRAME)
    before = Manifest.load(tmp_path).catalogue["hash"]
    again = ingest(Listed([record(1), record(2), record(3)]), tmp_path)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 3)
    assert again.catalogue_hash == before
    other_photo = replace(record(2), photo=png((1, 2, 3)))
    other_words = record(3, colour="green")
    summary = ingest(Listed([record(1), other_photo, other_words, record(4)]), tmp_path)
    assert (summary.added, summary.changed, summary.unchanged, summary.products) == (1, 2, 1, 4)
    shop = Shop.open(tmp_path, need="catalogue")
    assert shop.catalogue.attributes(shop.catalogue.row("p3")) == {"colour": "green"}
    np.testing.assert_allclose(shop.photo("p2")[32, 24], (1, 2, 3), atol=6)
    assert summary.catalogue_hash != before


def test_invalid_records_are_rejected_counted_and_listed(tmp_path: Path) -> None:
    (tmp_path / "big.jpg").touch()
    with (tmp_path / "big.jpg").open("r+b") as file:
        file.truncate(2**27)
    items: list[Record | Rejection] = [
        record(1),
        replace(record(1), id="twin"),
        record(1),
        Record("text", "hats", b"not a photo", {}),
        Record("cut", "hats", png((5, 5, 5))[:100], {}),
        Record("gone", "hats", tmp_path / "none.jpg", {}),
        Record("big", "hats", tmp_path / "big.jpg", {}),
        Record("folder", "hats", tmp_path, {}),
        Rejection("", "malformed_row", "12 fields instead of 10", row=7),
    ]
    summary = ingest(Listed(items), tmp_path / "shop", frame=FRAME)
    assert summary.added == 1
    assert summary.rejected["duplicate_photo"] == 1
    assert summary.rejected["duplicate_id"] == 1
    assert summary.rejected["too_large"] == 1
    assert sum(summary.rejected.values()) == len(items) - 1
    rows = read_rejections(tmp_path / "shop")
    assert len(rows) == len(items) - 1
    assert rows[-1] == {"id": "", "row": "7", "reason": "malformed_row", "detail": "12 fields instead of 10"}
    assert all(row["reason"] and row["detail"] for row in rows)


def test_white_background_rejects_photos_on_other_backgrounds(tmp_path: Path) -> None:
    grey = replace(record(2), photo=png((200, 0, 0), edge=90))
    summary = ingest(Listed([record(1), grey]), tmp_path, frame=FRAME, background="white")
    assert dict(summary.rejected) == {"off_background": 1}
    assert ingest(Listed([grey]), tmp_path).rejected["off_background"] == 1  # a shop keeps its rule


def test_only_selected_categories_are_stored(tmp_path: Path) -> None:
    source = Listed([record(1), record(2, "bags"), record(3, "shoes")])
    summary = ingest(source, tmp_path, frame=FRAME, categories=["hats", "bags"])
    assert summary.categories == {"bags": 1, "hats": 1}
    assert dict(summary.outside) == {"shoes": 1}


def test_unknown_category_lists_the_others_and_creates_no_shop(tmp_path: Path) -> None:
    source = Listed([record(1), record(2, "bags")])
    with pytest.raises(UnknownCategory, match=r"gloves.*bags, hats"):
        ingest(source, tmp_path / "shop", frame=FRAME, categories=["hats", "gloves"])
    with pytest.raises(ShopNotFound):
        Manifest.load(tmp_path / "shop")


def test_unknown_category_leaves_the_shop_unchanged(tmp_path: Path) -> None:
    ingest(Listed([record(1)]), tmp_path, frame=FRAME)
    before = Manifest.load(tmp_path)
    with pytest.raises(UnknownCategory):
        ingest(Listed([record(2)]), tmp_path, categories=["hats", "gloves"])
    assert Manifest.load(tmp_path) == before
    assert Shop.open(tmp_path, need="catalogue").catalogue.ids == ["p1"]


def test_source_without_usable_products_raises(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no usable product.*1 not_a_photo"):
        ingest(Listed([Record("text", "hats", b"not a photo", {})]), tmp_path / "shop", frame=FRAME)
    with pytest.raises(ShopNotFound):
        Manifest.load(tmp_path / "shop")
    assert read_rejections(tmp_path / "shop")[0]["id"] == "text"


def test_interrupted_ingest_leaves_the_shop_unchanged(tmp_path: Path) -> None:
    ingest(Listed([record(1)]), tmp_path, frame=FRAME)
    before = Manifest.load(tmp_path)

    class Interrupted(Listed):
        def records(self) -> Any:
            yield record(2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(Interrupted([]), tmp_path)
    assert Manifest.load(tmp_path) == before
    assert Shop.open(tmp_path, need="catalogue").store.hash() == before.catalogue["hash"]
    assert ingest(Listed([record(2)]), tmp_path).added == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frame": (100, 100)}, "48x64, not 100x100"),
        ({"background": "white"}, "'any', not 'white'"),
        ({"background": "blue"}, "Unknown background 'blue'"),
        ({"frame": (8, 100)}, "The size 100x8 is out of range"),
    ],
)
def test_options_that_contradict_the_shop_raise(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    ingest(Listed([record(1)]), tmp_path, frame=FRAME)
    with pytest.raises(BadOption, match=message):
        ingest(Listed([record(2)]), tmp_path, **options)


def test_hostile_attributes_are_stored_as_text(tmp_path: Path) -> None:
    nasty = {"name": "<script>alert(1)</script> \u202e" + "x" * 10_000, "id": "other", "cluster": 9}
    ingest(Listed([record(1, **nasty)]), tmp_path, frame=FRAME)
    shop = Shop.open(tmp_path, need="catalogue")
    assert shop.catalogue.attributes(0) == nasty
    assert shop.products["id"].tolist() == ["p1"]
    assert shop.products["attribute_id"].tolist() == ["other"]


def test_failed_download_is_rejected(tmp_path: Path) -> None:
    unreachable = Record("web", "hats", Url("gopher://nowhere/shoe.jpg"), {})
    summary = ingest(Listed([record(1), unreachable]), tmp_path, frame=FRAME)
    assert summary.added == 1
    assert sum(summary.rejected.values()) == 1
