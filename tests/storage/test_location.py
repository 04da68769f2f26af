"""Parsing of shop locations: directories, URLs and home directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from modiste import Shop
from modiste.errors import BadOption
from modiste.storage.location import parse_location


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("my-shop", Path("my-shop")),
        ("/a/b", Path("/a/b")),
        ("a:b", Path("a:b")),
        ("file:///a/b%20c", Path("/a/b c")),
        ("file:/a/b", Path("/a/b")),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("S3://bucket/a", "s3://bucket/a"),
        ("gs://bucket", "gs://bucket"),
        (Path("s3://bucket/a"), "s3://bucket/a"),  # a Path turns two slashes into one
    ],
)
def test_parse_location(text: str | Path, location: Path | str) -> None:
    assert parse_location(text) == location


def test_tilde_is_expanded_to_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert parse_location("~/shop") == Path("/home/me/shop")


@pytest.mark.parametrize("url", ["https://shop.example/a", "az://account/a", "s3://", "s3://a/../b"])
def test_unsupported_urls_are_rejected(url: str) -> None:
    with pytest.raises(BadOption) as raised:
        Shop.open(url)
    assert "s3://" in raised.value.remedy


def test_file_url_opens_a_directory(small: Path) -> None:
    shop = Shop.open(f"file://{small}", need="map")
    assert shop.path == small
    assert shop.similar(shop.random_design(1), 3) == Shop.open(small).similar(shop.random_design(1), 3)
