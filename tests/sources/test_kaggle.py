"""Kaggle's layout: its categories, its attributes, and its malformed rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from modiste.errors import SourceError
from modiste.sources.kaggle import KaggleSource
from modiste.sources.record import Record, Rejection, Source
from tests.sources.shops import PHOTOS, ROWS, kaggle_folder, real_photos


def test_rows_become_records(tmp_path: Path) -> None:
    source = KaggleSource(kaggle_folder(tmp_path))
    assert isinstance(source, Source)
    shoe, bag, heel = source.records()
    assert source.count() == 3
    assert shoe == Record(
        "11",
        "footwear",
        tmp_path / "images/11.jpg",
        {
            "gender": "Men",
            "master_category": "Footwear",
            "sub_category": "Shoes",
            "article_type": "Casual Shoes",
            "base_colour": "Black",
            "season": "Summer",
            "year": 2012,
            "usage": "Casual",
            "name": "Plain Black Shoe",
        },
    )
    assert isinstance(bag, Record)
    assert isinstance(heel, Record)
    assert (bag.category, heel.category) == ("bags", "footwear")
    assert "season" not in bag.attributes  # NA is not a season
    assert not {"year", "name"} & set(heel.attributes)


def test_malformed_rows_and_missing_photos_are_rejections(tmp_path: Path) -> None:
    rows = [
        "21,Men,Footwear,Shoes,Casual Shoes,Black,Summer,2012,Casual,One, comma too many\n",
        "22,Men,Footwear\n",
        '23,Men,Footwear,Shoes,Casual Shoes,Black,Summer,2012,Casual,"opens and never closes\n',
        "\n",
        ",Men,Footwear,Shoes,Casual Shoes,Black,Summer,2012,Casual,no id\n",
        "../../etc/passwd,Men,Footwear,Shoes,Casual Shoes,Black,Summer,2012,Casual,climber\n",
        *ROWS,
        ROWS[0],
    ]
    source = KaggleSource(kaggle_folder(tmp_path, rows, photos=("11", "12", "23")))
    results = list(source.records())
    rejected = {(row.id, row.reason, row.row) for row in results if isinstance(row, Rejection)}
    assert rejected == {
        ("21", "malformed_row", 2),
        ("22", "malformed_row", 3),
        ("", "malformed_row", 6),
        ("../../etc/passwd", "missing_photo", 7),
        ("13", "missing_photo", 10),
        ("11", "duplicate_id", None),
    }
    assert [row.id for row in results if isinstance(row, Record)] == ["23", "11", "12"]
    assert source.count() == len(results) == 9


@pytest.mark.parametrize("column", ["articleType", "article_type", "Article Type"])
def test_category_column_can_be_chosen(tmp_path: Path, column: str) -> None:
    source = KaggleSource(kaggle_folder(tmp_path), category_column=column)
    records = [row for row in source.records() if isinstance(row, Record)]
    assert [record.category for record in records] == ["casual shoes", "handbags", "heels"]
    assert records[0].attributes["article_type"] == "Casual Shoes"


def test_missing_category_column_raises(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no column 'colour'.*--category-column.*baseColour"):
        KaggleSource(kaggle_folder(tmp_path), category_column="colour")


@pytest.mark.parametrize("text", ["", "name,price\nboot,3\n", "\x00\x01\x02"])
def test_table_without_ids_raises(tmp_path: Path, text: str) -> None:
    kaggle_folder(tmp_path)
    (tmp_path / "styles.csv").write_text(text)
    with pytest.raises(SourceError, match="no column `id`"):
        KaggleSource(tmp_path)


@pytest.mark.photos
@real_photos
def test_real_data_set_has_its_known_counts() -> None:
    source = KaggleSource(PHOTOS)
    rows = list(source.records())
    assert len(rows) == source.count() == 11_229
    categories = Counter(row.category for row in rows if isinstance(row, Record))
    assert categories == {"footwear": 7815, "bags": 2554, "eyewear": 857}
    assert [row.id for row in rows if isinstance(row, Rejection)] == ["4854", "23124", "23127"]
