"""Fetching a shard's pack from a replica: what a machine without it gets, once the shop is another."""

from __future__ import annotations

from pathlib import Path

import pytest

from modiste.errors import ClusterError
from modiste.shop.indexing import index_shop
from modiste.shop.looking import Look
from modiste.shop.packs import Packs
from modiste.shop.places import absolute
from modiste.shop.shop import Shop

pytest.importorskip("ray")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]


def test_a_machine_without_the_pack_gets_the_same(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray import serve

    from modiste.scale import fetching
    from modiste.scale.generations import SHARD, running

    before = Shop.open(shop, need="map")
    looks = [Look(before.code_of(id_), 5, "likelihood", "euclidean", 0.0) for id_ in before.catalogue.ids[:5]]
    expected = before.look(looks)
    packs = Packs(absolute(shop), before.version, 2)
    app = running(absolute(shop))[0]
    index_shop(shop, tau=0.3)
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "another"))
    monkeypatch.setattr(fetching, "PATIENCE", 5.0)
    assert packs.whole() is None
    shelves = []
    for shard in range(2):
        fetching.fetch(packs, shard, serve.get_deployment_handle(SHARD.format(shard), app_name=app))
        whole = packs.whole()
        assert whole is not None
        shelves.append(packs.open(shard, whole))
    found = [shelf.look(looks) for shelf in shelves if shelf is not None]
    for row, hits in enumerate(expected):
        ranked = sorted((hit for each in found for hit in each[row]), key=lambda hit: (hit.rank, hit.id))
        assert ranked[:5] == hits
    replicas = serve.get_deployment_handle(SHARD.format(0), app_name=app)
    serve.delete(app)
    with pytest.raises(ClusterError, match="No other machine"):
        fetching.fetch(packs, 0, replicas)
    assert packs.open(0, whole) is not None
