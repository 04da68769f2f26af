"""Products come, change and go while searches run, and every answer is that of the products there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from modiste.errors import BadCount, BadOption, SchemaError
from modiste.search import exact as laid
from modiste.search.index import LatentIndex
from tests.search.test_index import (
    Parts,
    catalogue,
    index_of,
    plain,
)


def same_as(index: LatentIndex, parts: Parts, names: list[str]) -> None:
    """The index answers as one made of `parts`, whose ids are `names`, would."""
    assert len(index) == len(names)
    for method, metric in (("likelihood", "euclidean"), ("fixed-epsilon", "manhattan")):
        for code in parts[2][::97]:
            found, scores = index.nearest(code, 8, method, metric)
            expected, expected_scores = plain(parts, code, 8, method, metric)
            assert [index.ids[row] for row in found] == [names[row] for row in expected]
            np.testing.assert_allclose(scores, expected_scores, rtol=1e-9)
            for j in range(3):
                inside, _ = index.nearest(code, 4, method, metric, cluster=j)
                wanted, _ = plain(parts, code, 4, method, metric, rows=np.flatnonzero(parts[3] == j))
                assert [index.ids[row] for row in inside] == [names[row] for row in wanted]


def test_added_changed_and_removed() -> None:
    whole = catalogue(1000)
    names = [f"p{i}" for i in range(1000)]
    index = index_of(tuple(part[:900] for part in whole))  # type: ignore[arg-type]
    before = index.nearest(whole[2][0], 5)
    other = catalogue(40, seed=9)
    later = index.changed(names[900:], *(part[900:] for part in whole))
    later = later.changed(names[860:900], *other, removed=names[:40])
    kept = [i for i in range(40, 1000) if not 860 <= i < 900]
    expected = tuple(np.concatenate([part[kept], new]) for part, new in zip(whole, other, strict=True))
    # Rows keep their numbers, which decide ties; here there are none.
    same_as(later, expected, [names[i] for i in kept] + names[860:900])  # type: ignore[arg-type]
    np.testing.assert_array_equal(index.nearest(whole[2][0], 5)[0], before[0])


def test_what_was_removed_can_come_back() -> None:
    parts = catalogue()
    index = index_of(parts)
    gone = index.changed(removed=["p3", "p4"])
    assert 3 not in gone.nearest(parts[2][3], 50)[0]
    assert gone.nearest(parts[2][3], 1, rows=[3, 5])[0].tolist() == [5]
    back = gone.changed(["p4", "p3"], *(part[[4, 3]] for part in parts))
    same_as(back, parts, [f"p{i}" for i in range(600)])


def test_many_changes_lay_all_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laid, "FRESH", 50)
    whole = catalogue(700)
    index = index_of(tuple(part[:500] for part in whole))  # type: ignore[arg-type]
    for start in range(500, 700, 25):
        names = [f"p{i}" for i in range(start, start + 25)]
        index = index.changed(names, *(part[start : start + 25] for part in whole))
    same_as(index, whole, [f"p{i}" for i in range(700)])
    assert len(index._parts.parts) <= 2


def test_all_may_go() -> None:
    parts = catalogue(5)
    empty = index_of(parts).changed(removed=[f"p{i}" for i in range(5)])
    assert len(empty) == 0
    again = empty.changed(["p2"], *(part[[2]] for part in parts))
    assert again.nearest(parts[2][0], 1)[0].tolist() == [2]


def test_a_cluster_that_was_not_there_before() -> None:
    parts = catalogue()
    index = index_of(parts).changed(["new"], *(part[[0]] for part in parts[:3]), np.array([5]))
    assert index.nearest(parts[2][0], 1, cluster=5)[0].tolist() == [600]
    assert len(index.nearest(parts[2][0], 9, cluster=0)[0]) == 9
    with pytest.raises(BadCount):
        index.nearest(parts[2][0], 1, cluster=4)


def test_bad_changes() -> None:
    parts = catalogue()
    index = index_of(parts)
    one = tuple(part[:1] for part in parts)
    for error, change in (
        (BadOption, lambda: index.changed(removed=["nobody"])),
        (BadOption, lambda: index.changed(removed=["p1"]).changed(removed=["p1"])),
        (BadOption, lambda: index.changed(["p1"], *one, removed=["p1"])),
        (BadOption, lambda: index.changed(["a", "a"], *(part[:2] for part in parts))),
        (SchemaError, lambda: index.changed(["a"], *one[:3])),
        (SchemaError, lambda: index.changed(["a"], one[0][:, :3], one[1][:, :3], one[2][:, :3], one[3])),
        (SchemaError, lambda: index.changed(["a"], one[0], one[1] * 0, one[2], one[3])),
    ):
        with pytest.raises(error):
            change()


def test_searches_go_on_while_products_change() -> None:
    """Each search sees one state of the shop: a product and its twin are swapped again and again, never both there."""
    parts = catalogue(3000)
    held, done = [index_of(parts)], Event()
    code = parts[2][7]
    twin = tuple(part[[7]] for part in parts)

    def ask() -> list[set[str]]:
        seen: list[set[str]] = []
        while not done.is_set() or not seen:
            index = held[0]
            found, _ = index.nearest(code, 3, "fixed-epsilon")
            seen.append({index.ids[row] for row in found})
        return seen

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        for _ in range(30):
            held[0] = held[0].changed(["twin"], *twin, removed=["p7"])
            held[0] = held[0].changed(["p7"], *twin, removed=["twin"])
        done.set()
        answers = [each for future in asking for each in future.result()]
    assert all(len({"p7", "twin"} & names) == 1 for names in answers)
