"""Ingest of a bad table: good rows become products, the others are listed in a file that is safe to open."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from modiste.cli import main
from modiste.errors import SourceError
from modiste.images.photo import to_png
from modiste.pipeline.ingest import ingest
from modiste.shop.shop import Shop
from modiste.sources.record import Record, Rejection
from tests.small import FRAME, Listed

ESCAPE = "\x1b]0;taken over\x07\x1b[31m"
FORMULA = "=cmd|'/C calc'!A0"


def photo(shade: int) -> bytes:
    return to_png(np.full((20, 15, 3), shade, np.uint8))


def table(folder: Path, *rows: dict[str, object]) -> str:
    """Write a JSONL table with one photo for each row."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    for number, row in enumerate(rows):
        (folder / f"{number}.png").write_bytes(photo(number * 9))
        lines.append(json.dumps({"file_name": f"{number}.png", **row}))
    (folder / "table.jsonl").write_text("\n".join(lines))
    return str(folder / "table.jsonl")


def read_rejections(root: Path) -> list[dict[str, str]]:
    with (root / "rejected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_valid_rows_are_stored_and_invalid_ones_listed(tmp_path: Path) -> None:
    names = ["../../etc/passwd", "C:\\x", FORMULA, "@SUM(A1)", "[/bold]", "帽子"]
    bad = ["a\0b", ESCAPE, "\u202eabc", "a\nb", "x" * 1_000_000]
    source = table(
        tmp_path / "in",
        *({"id": id_, "category": "hats"} for id_ in [*names, *bad, names[0]]),
        {"id": "long", "name": "x" * 1_000_000},
        {"id": "wide", **{f"c{n}": n for n in range(5000)}},
        {"id": "far", "category": "c" * 10_000},
    )
    shop = tmp_path / "deep" / "shop"
    summary = ingest(source, shop, frame=FRAME)
    assert dict(summary.rejected) == {"bad_id": len(bad), "duplicate_id": 1, "malformed_row": 3}
    assert Shop.open(shop, need="catalogue").catalogue.ids == sorted(names)
    assert {row["reason"] for row in read_rejections(shop)} == set(summary.rejected)
    # ids became no paths: nothing lies outside the shop and the source
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "in"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["shop"]


def test_rejections_file_has_no_formulas_or_escapes(tmp_path: Path) -> None:
    evil = [FORMULA, "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", ESCAPE, "\udcff", "x" * 100_000]
    items: list[Record | Rejection] = [Rejection(each, "malformed_row", each) for each in evil]
    ingest(Listed([Record("p", "hats", photo(1)), *items]), tmp_path, frame=FRAME)
    written = (tmp_path / "rejected.csv").read_text("utf-8")
    assert "\x1b" not in written
    assert len(written) < 5000
    for row in read_rejections(tmp_path):
        for value in row.values():
            assert not value.lstrip().startswith(("=", "+", "-", "@")), value
    assert read_rejections(tmp_path)[0]["id"] == "'" + FORMULA


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are any bytes on Linux")
def test_photo_with_a_file_name_that_is_not_utf8_is_rejected(tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "hats"
    folder.mkdir(parents=True)
    (folder / "good.png").write_bytes(photo(1))
    Path(str(folder) + "/\udcff.png").write_bytes(photo(2))
    Path(str(folder) + "/\udcff.txt").write_text("no photo")
    summary = ingest(str(tmp_path / "photos"), tmp_path / "shop", frame=FRAME)
    assert (summary.products, dict(summary.rejected)) == (1, {"bad_id": 1, "not_a_photo": 1})


def test_table_without_rows_raises(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("id,file_name\n")
    with pytest.raises(SourceError, match="no usable product"):
        ingest(str(tmp_path / "table.csv"), tmp_path / "shop", frame=FRAME)


def test_commands_print_no_escape_sequences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": f"p{n}", "category": c} for n, c in enumerate((ESCAPE + "hats", "[/bold]", ":smile:", "\u202ebags"))]
    source, shop = table(tmp_path / "in", *rows), str(tmp_path / "shop")
    for command in (
        ["ingest", source, "--shop", shop, "--size", "48x64"],
        ["info", "--shop", shop],
        ["info", "--shop", shop, "--json"],
        ["ingest", source, "--shop", shop, "--categories", ESCAPE],
        ["ingest", ESCAPE, "--shop", shop],
        ["ingest", ESCAPE, "--shop", shop, "--json"],
    ):
        main(command)
        out, err = capsys.readouterr()
        assert out or err
        for words in (out, err):
            assert not {"\x1b", "\x07", "\u202e"} & set(words), command
            assert "☺" not in words
    main(["info", "--shop", shop, "--json"])
    categories = json.loads(capsys.readouterr().out)["categories"]
    assert set(categories) == {str(row["category"]) for row in rows}
    main(["info", "--shop", shop])
    assert "[/bold]" in capsys.readouterr().out
