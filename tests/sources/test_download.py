"""Downloads from a misbehaving server on loopback. No other address is requested."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modiste.errors import BadOption, FetchError, StorageError
from modiste.sources.download import USER_AGENT, cached_path, fetch_all
from tests.sources.misbehaving_server import PHOTO, Server, misbehaving_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with misbehaving_server() as running:
        yield running


def fetch_with_short_limits(urls: list[str], folder: Path, **options: Any) -> dict[str, Path | FetchError]:
    """Run `fetch_all` with short time limits."""
    hurry = {"per_host_rate": 1000.0, "retries": 2, "timeout": 0.5, "total_timeout": 1.0, "backoff": 0.01}
    return dict(fetch_all(urls, folder, **(hurry | options)))


def fetch_one(server: Server, path: str, folder: Path, **options: Any) -> Path | FetchError:
    return fetch_with_short_limits([server.url(path)], folder, **options)[server.url(path)]


@pytest.mark.parametrize(
    ("path", "requests"),
    [("/photo", 1), ("/typeless", 1), ("/recovering", 3), ("/slowonce", 2), ("/truncatedonce", 2), ("/moved", 1)],
)
def test_photo_is_downloaded_after_redirects_and_retries(
    server: Server, tmp_path: Path, path: str, requests: int
) -> None:
    result = fetch_one(server, path, tmp_path)
    assert isinstance(result, Path)
    assert result.read_bytes() == PHOTO
    assert server.asked[path] == requests
    assert server.agents == {USER_AGENT}


@pytest.mark.parametrize(
    ("path", "reason", "requests"),
    [
        ("/missing", "http_404", 1),
        ("/failing", "http_500", 3),
        ("/busylong", "http_503", 1),
        ("/html", "wrong_type", 1),
        ("/lying", "wrong_type", 1),
        ("/slow", "timeout", 3),
        ("/drip", "timeout", 1),
        ("/dripheaders", "timeout", 1),
        ("/truncated", "truncated", 3),
        ("/hangup", "truncated", 3),
        ("/announced", "too_large", 1),
        ("/endless", "too_large", 1),
        ("/circle", "bad_url", 6),
        ("/elsewhere", "bad_url", 1),
    ],
)
def test_failed_download_has_its_reason_and_number_of_requests(
    server: Server, tmp_path: Path, path: str, reason: str, requests: int
) -> None:
    started = time.monotonic()
    result = fetch_one(server, path, tmp_path, max_bytes=1_000_000)
    assert isinstance(result, FetchError)
    assert result.reason == reason
    assert server.url(path) in str(result)
    assert server.asked[path] == requests
    assert time.monotonic() - started < 5
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://127.0.0.1/x.jpg", "file:///etc/passwd", "http://", "http://[bad/x.jpg", "http://\0"]
)
def test_invalid_url_is_rejected(tmp_path: Path, url: str) -> None:
    result = fetch_with_short_limits([url], tmp_path)[url]
    assert isinstance(result, FetchError)
    assert result.reason == "bad_url"


def test_unreachable_host_is_reported(server: Server, tmp_path: Path) -> None:
    with misbehaving_server() as gone:
        url = gone.url("/photo")
    result = fetch_with_short_limits([url], tmp_path)[url]
    assert isinstance(result, FetchError)
    assert result.reason == "unreachable"


@pytest.mark.parametrize("path", ["/busy", "/busydate"])
def test_retry_after_delays_the_whole_host(server: Server, tmp_path: Path, path: str) -> None:
    urls = [server.url(path), server.url("/photo-next")]
    results = fetch_with_short_limits(urls, tmp_path, concurrency=1, per_host_rate=20.0)
    assert all(isinstance(outcome, Path) for outcome in results.values())
    first, second = server.times[path]
    assert second - first >= (0.95 if path == "/busy" else 0.0)
    assert min(server.times["/photo-next"]) >= second - 0.1 or path == "/busydate"


def test_downloaded_photos_are_not_requested_again(server: Server, tmp_path: Path) -> None:
    urls = [server.url(f"/photo-{n}") for n in range(20)]
    stopped = fetch_all(iter(urls), tmp_path, concurrency=1, per_host_rate=1000.0)
    for _ in range(5):
        next(stopped)
    stopped.close()
    requests = sum(server.asked.values())
    assert 5 <= requests < 20
    results = fetch_with_short_limits(urls, tmp_path)
    assert results == {url: cached_path(tmp_path, url) for url in urls}
    assert sum(server.asked.values()) <= 21  # the one that was cut off may be asked for twice
    started = time.monotonic()
    assert fetch_with_short_limits(urls, tmp_path, per_host_rate=0.001) == results
    assert time.monotonic() - started < 1.0  # what is here already waits for no turn


def test_close_does_not_wait_for_a_slow_server(server: Server, tmp_path: Path) -> None:
    urls = [server.url("/photo"), server.url("/drip")]
    fetching = fetch_all(urls, tmp_path, per_host_rate=1000.0)
    assert next(fetching)[0] == urls[0]
    started = time.monotonic()
    fetching.close()
    assert time.monotonic() - started < 1.0


def test_number_of_concurrent_requests_is_limited(server: Server, tmp_path: Path) -> None:
    results = fetch_with_short_limits([server.url(f"/dawdling-{n}") for n in range(24)], tmp_path, concurrency=3)
    assert len(results) == 24
    assert 2 <= server.most <= 3


def test_rate_limit_applies_to_each_host_separately(server: Server, tmp_path: Path) -> None:
    with misbehaving_server() as other:
        urls = [server.url(f"/photo-{n}") for n in range(6)] + [other.url(f"/photo-{n}") for n in range(6)]
        started = time.monotonic()
        assert len(fetch_with_short_limits(urls, tmp_path, per_host_rate=10.0)) == 12
        for host in (server, other):
            times = sorted(moment for moments in host.times.values() for moment in moments)
            assert times[-1] - times[0] >= 0.45
            assert times[0] - started < 0.45


def test_same_url_is_requested_once(server: Server, tmp_path: Path) -> None:
    urls = [server.url("/photo")] * 3
    results = list(fetch_all(urls, tmp_path, per_host_rate=20.0))
    assert [url for url, _ in results] == urls
    assert server.asked["/photo"] == 1


def test_unwritable_folder_raises_storage_error(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        fetch_one(server, "/photo", tmp_path / "file")


def test_failures_do_not_affect_other_photos(server: Server, tmp_path: Path) -> None:
    paths = ["/photo-1", "/missing", "/drip", "/photo-2", "/html", "/recovering", "/truncated", "/photo-3"]
    results = fetch_with_short_limits([server.url(path) for path in paths], tmp_path)
    assert sum(isinstance(outcome, Path) for outcome in results.values()) == 4
    assert len(results) == len(paths)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"per_host_rate": 0.0}, {"retries": -1}])
def test_limits_out_of_range_raise(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(BadOption, match="at least"):
        fetch_with_short_limits([], tmp_path, **options)
