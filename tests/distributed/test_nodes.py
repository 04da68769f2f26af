"""A cluster of several machines, each in a network namespace, that are killed, cut off and restarted."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distributed.nodes import Cluster, cluster, why_not
from distributed.tasks import SyntheticSource
from modiste import Shop
from modiste.distributed.ray_executor import ray_executor
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.shop.loading import EncodingArrays
from modiste.storage.product_store import ProductStore

ROOT = Path(__file__).parents[2]
COUNT = 20_000

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=f"{why_not()}")]
assert ray_executor


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Path:
    """A shop with a model and many products without encodings."""
    shop = tmp_path_factory.mktemp("large") / "shop"
    shutil.copytree(built, shop)
    ingest(SyntheticSource(COUNT), shop)
    return shop


@pytest.fixture(scope="module")
def encoded(large: Path, tmp_path_factory: pytest.TempPathFactory) -> EncodingArrays:
    """The shop as one process encodes it."""
    shop = tmp_path_factory.mktemp("encoded") / "shop"
    shutil.copytree(large, shop)
    encode_shop(shop, threads=2)
    return Shop.open(shop, need="encodings", use_index=False).encodings


@pytest.fixture
def three_workers() -> Iterator[Cluster]:
    """A head and three worker machines."""
    with cluster(3) as machines:
        yield machines


def start_stage(cluster: Cluster, *what: object, node: int = 0) -> subprocess.Popen[str]:
    """Start a stage on a node."""
    command = [str(ROOT / ".venv/bin/python"), "-m", "tests.distributed.tasks", cluster.address, *map(str, what)]
    return subprocess.Popen(
        cluster.inside(node, command),
        env=cluster.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def read_progress_until(work: subprocess.Popen[str], done: int) -> list[dict[str, Any]]:
    """Return what a stage prints until a number of products is done."""
    assert work.stdout is not None
    lines: list[dict[str, Any]] = []
    for line in work.stdout:
        assert line.startswith("{"), line
        lines.append(json.loads(line))
        if lines[-1]["done"] >= done:
            return lines
    raise AssertionError(f"It ended: {lines[-1:]}")


def exit_code_and_last_line(work: subprocess.Popen[str]) -> tuple[int, str]:
    """Return a stage's exit code and its last line."""
    code, lines = exit_code_and_lines(work)
    return code, lines[-1]


def exit_code_and_lines(work: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Return a stage's exit code and its remaining lines."""
    out, _ = work.communicate(timeout=120)
    return work.returncode, out.splitlines()


def has_encodings(shop: Path, encoded: EncodingArrays) -> bool:
    """Return whether a shop's encodings equal those of one process."""
    encodings = Shop.open(shop, need="encodings", use_index=False).encodings
    return all(np.array_equal(getattr(encodings, part), getattr(encoded, part)) for part in ("mean", "std", "code"))


@pytest.mark.parametrize("how", ["kill", "cut"])
def test_encode_completes_after_a_machine_is_lost(
    how: str, three_workers: Cluster, large: Path, encoded: EncodingArrays, tmp_path: Path
):
    shop = tmp_path / "shop"
    shutil.copytree(large, shop)
    work = start_stage(three_workers, "encode", shop)
    read_progress_until(work, COUNT // 5)
    getattr(three_workers, how)(2)
    assert exit_code_and_last_line(work) == (0, "done")
    assert has_encodings(shop, encoded)


def test_ingest_completes_after_a_machine_is_replaced(three_workers: Cluster, tmp_path: Path):
    one = ingest(SyntheticSource(COUNT), tmp_path / "one", frame=(64, 48))
    work = start_stage(three_workers, "ingest", tmp_path / "many", COUNT)
    read_progress_until(work, COUNT // 5)
    three_workers.kill(1)
    three_workers.make(4)
    three_workers.start(4)
    assert exit_code_and_last_line(work) == (0, "done")
    store = ProductStore.open(tmp_path / "many/store")
    assert (store.count(), store.hash()) == (COUNT, one.catalogue_hash)


def test_encode_continues_after_the_head_is_restarted(
    three_workers: Cluster, large: Path, encoded: EncodingArrays, tmp_path: Path
):
    shop = tmp_path / "shop"
    shutil.copytree(large, shop)
    work = start_stage(three_workers, "encode", shop, node=1)
    read_progress_until(work, COUNT // 2)
    three_workers.kill(0)
    code, message = exit_code_and_last_line(work)
    assert code in (0, 8), message  # 0: it ended before Ray noticed
    for node in (1, 2, 3):
        three_workers.kill(node)
    for node in (0, 1, 2):
        three_workers.start(node)
    again, lines = exit_code_and_lines(start_stage(three_workers, "encode", shop, node=1))
    assert (again, lines[-1]) == (0, "done")
    if code == 8:
        assert message.startswith("RayClusterError The head of the cluster")
        pieces = sum(line.startswith("{") for line in lines)
        assert pieces < 0.7 * COUNT / 128  # about half was encoded before
    assert has_encodings(shop, encoded)


def test_killed_encode_continues_when_repeated(
    three_workers: Cluster, large: Path, encoded: EncodingArrays, tmp_path: Path
):
    shop = tmp_path / "shop"
    shutil.copytree(large, shop)
    work = start_stage(three_workers, "encode", shop)
    read_progress_until(work, COUNT // 2)
    work.kill()
    work.communicate()
    code, message = exit_code_and_last_line(start_stage(three_workers, "encode", shop))
    assert (code, message) == (0, "done")
    assert has_encodings(shop, encoded)
