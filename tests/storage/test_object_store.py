"""Object storage: reads, conditional writes, and errors with remedies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from modiste.errors import BadOption, StorageError
from modiste.storage.object_store import ObjectStore, validate_url


def test_round_trip(s3_url: str, tmp_path: Path) -> None:
    objects = ObjectStore(s3_url)
    assert objects.get("a/b") is None
    assert objects.last_modified("a/b") is None
    objects.put("a/b", b"one")
    response = objects.get("a/b")
    assert response is not None
    assert response[0] == b"one"
    (tmp_path / "big").write_bytes(bytes(9 * 2**20))
    objects.upload([(tmp_path / "big", "a/big")])
    objects.download([("a/big", tmp_path / "down" / "big")])
    assert (tmp_path / "down" / "big").read_bytes() == bytes(9 * 2**20)
    assert {(each.name, each.size) for each in objects.list("a")} == {("a/b", 3), ("a/big", 9 * 2**20)}
    assert list(objects.list("other")) == []
    objects.delete(["a/b", "a/never"])
    assert [each.name for each in objects.list()] == ["a/big"]


def test_conditional_put_succeeds_for_one_writer_only(s3_url: str) -> None:
    one, two = ObjectStore(s3_url), ObjectStore(s3_url)
    first = one.conditional_put("head", b"one", None)
    assert first is not None
    assert two.conditional_put("head", b"two", None) is None
    second = two.conditional_put("head", b"two", first)
    assert second is not None
    assert one.conditional_put("head", b"three", first) is None
    response = one.get("head")
    assert response is not None
    assert response == (b"two", second)
    assert one.conditional_put("never", b"x", first) is None


def test_repeated_conditional_put_of_the_same_bytes_succeeds(s3_url: str) -> None:
    objects = ObjectStore(s3_url)
    assert objects.conditional_put("head", b"mine", None) == objects.conditional_put("head", b"mine", None) is not None


def test_missing_object_and_bucket_are_reported(s3_url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="a/b no longer exists"):
        ObjectStore(s3_url).download([("a/b", tmp_path / "a")])
    with pytest.raises(StorageError, match="no such bucket") as raised:
        ObjectStore("s3://never-made/x").get("a")
    assert "Create it" in raised.value.remedy
    with pytest.raises(StorageError, match="no such bucket"):
        ObjectStore("s3://never-made/x").put("a", b"1")
    with pytest.raises(StorageError, match="no such bucket"):
        list(ObjectStore("s3://never-made/x").list())


def test_unreachable_store_is_reported_within_seconds(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(StorageError, match="cannot be reached") as raised:
        ObjectStore(s3_url).get("a")
    assert time.monotonic() - began < 20
    assert "AWS_ENDPOINT_URL" in raised.value.remedy
    assert raised.value.exit_code == 6


def test_missing_credentials_are_reported(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    # The answer of a machine without a role, if there is any.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="credentials") as raised:
        ObjectStore(s3_url).get("a")
    assert "AWS_ACCESS_KEY_ID" in raised.value.remedy


@pytest.mark.parametrize("url", ["s3://", "s3:///a", "az://a/b", "s3://a/../b", "s3://a/b?c", "s3://a/b#c", "/a"])
def test_invalid_url_is_rejected(url: str) -> None:
    with pytest.raises(BadOption, match="not a URL on object storage"):
        validate_url(url)


def test_trailing_slash_is_ignored() -> None:
    assert validate_url("s3://a/b/") == validate_url("s3://a/b") == "s3://a/b"
    assert validate_url("gs://a") == "gs://a"
