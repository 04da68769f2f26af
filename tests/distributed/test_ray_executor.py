"""Ray's workers process items in order, each once, and through every failure."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modiste.distributed.ray_executor import RayExecutor
from modiste.distributed.ray_session import connect
from modiste.errors import BadOption, MissingExtra, PhotoError, RayClusterError
from modiste.parallel import ITEMS_PER_WORKER


def test_every_item_has_one_result_in_order(fleet: RayExecutor):
    def begin(context: int) -> Callable[[int], int]:
        return lambda piece: context * piece

    assert list(fleet.map(begin, 3, range(50))) == [3 * piece for piece in range(50)]


def test_executor_takes_few_items_ahead(fleet: RayExecutor):
    taken: list[int] = []

    def pieces() -> Iterator[int]:
        for piece in range(40):
            taken.append(piece)
            yield piece

    def begin(context: None) -> Callable[[int], int]:
        return lambda piece: piece

    for done in fleet.map(begin, None, pieces()):
        assert len(taken) <= done + ITEMS_PER_WORKER * fleet.workers + 1
    assert len(taken) == 40


def test_item_of_a_killed_worker_is_retried(fleet: RayExecutor, tmp_path: Path):
    def begin(folder: str) -> Callable[[int], int]:
        def work(piece: int) -> int:
            mark = Path(folder) / str(piece)
            if piece in (3, 17) and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return piece

        return work

    assert list(fleet.map(begin, str(tmp_path), range(30))) == list(range(30))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["17", "3"]


@pytest.mark.slow
def test_item_that_kills_every_worker_raises(fleet: RayExecutor):
    def begin(context: None) -> Callable[[int], int]:
        return lambda piece: os.kill(os.getpid(), signal.SIGKILL) or piece

    with pytest.raises(RayClusterError, match="lost 6 times"):
        list(fleet.map(begin, None, [1]))


def test_modiste_error_is_raised_unchanged(fleet: RayExecutor):
    def begin(context: None) -> Callable[[int], int]:
        def work(piece: int) -> int:
            raise PhotoError("No photo.", remedy="Take one.", reason="missing_photo")

        return work

    with pytest.raises(PhotoError, match="No photo") as raised:
        list(fleet.map(begin, None, [1]))
    assert (raised.value.reason, raised.value.remedy) == ("missing_photo", "Take one.")


def test_other_error_raises_cluster_error(fleet: RayExecutor):
    def begin(context: None) -> Callable[[int], int]:
        return lambda piece: piece // 0

    with pytest.raises(RayClusterError, match="ZeroDivisionError"):
        list(fleet.map(begin, None, [1]))


@pytest.mark.parametrize("address", ["here", "ray://10.0.0.1:10001", "10.0.0.1:port", ""])
def test_invalid_address_raises(address: str):
    with pytest.raises(BadOption, match="HOST:PORT"), connect(address):
        pass


def test_missing_ray_names_the_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"modiste\[scale\]"), connect("local"):
        pass
