"""Items that are done ahead of their turn are yielded in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from modiste.parallel import ThreadExecutor, ordered_map


@given(pieces=st.lists(st.integers(), max_size=40), ahead=st.integers(1, 9))
def test_ordered_map_keeps_the_order_and_limits_started_items(pieces: list[int], ahead: int):
    started: list[int] = []
    finished: list[int] = []

    def start(piece: int) -> int:
        started.append(piece)
        return piece

    def finish(piece: int) -> int:
        assert len(started) - len(finished) <= ahead
        finished.append(piece)
        return -piece

    assert list(ordered_map(pieces, start, finish, lambda: ahead)) == [-piece for piece in pieces]
    assert finished == pieces


def test_thread_executor_begins_once_and_keeps_the_order():
    begun: list[str] = []

    def begin(context: str) -> Callable[[int], str]:
        begun.append(context)
        return lambda piece: f"{context}{piece}"

    assert list(ThreadExecutor(3).map(begin, "a", range(100))) == [f"a{piece}" for piece in range(100)]
    assert begun == ["a"]


def test_thread_executor_takes_few_items_ahead():
    taken: list[int] = []

    def pieces() -> Iterator[int]:
        for piece in range(1000):
            taken.append(piece)
            yield piece

    def begin(context: None) -> Callable[[int], int]:
        return lambda piece: piece

    answers = ThreadExecutor(2).map(begin, None, pieces())
    assert next(answers) == 0
    assert len(taken) < 10
