"""A hundred thousand products with 10 kB of attributes each: built, searched and served in bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from modiste.storage.backup import restore_shop
from tests.faults.large_process import attributes, peak_mb, product_id, text_pool
from tests.server.test_run import serving
from tests.small import SMALL

pytestmark = [
    pytest.mark.faults,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="what a process has taken is read from /proc"),
]

COUNT = 100_000
SMALL_COUNT = 24  # products of the small shop, which are in it before
# MB that each stage may take, the pages of files that it has mapped and read included: these are a gigabyte, the
# snapshot's, and can be taken back at any time. An ingest holds 512 MiB of products before it commits them.
MAX_MB = {"take_in": 3000, "encode": 2000, "cluster": 2000, "slide": 2600, "ask": 2600, "examine": 2600}
MAX_SERVER_MB = 3600  # a server also holds a gigabyte of text for its search


def run_stage(what: str, directory: Path) -> dict[str, Any]:
    """Run a stage in a separate process, and return what it prints."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.faults.large_process", what, str(directory), str(COUNT)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    print(f"{what}: {result['mb']:.0f} MB, {result['seconds']:.0f} s")
    assert result["mb"] < MAX_MB.get(what, 1000), what
    return result


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's directory. Each stage runs in a separate process, whose memory is measured."""
    root = tmp_path_factory.mktemp("large")
    restore_shop(SMALL, root / "shop")
    run_stage("write", root)
    assert run_stage("take_in", root)["added"] == COUNT
    assert run_stage("encode", root)["count"] == COUNT + SMALL_COUNT
    run_stage("cluster", root)
    run_stage("slide", root)
    return root


def test_large_shop_is_opened_searched_and_filtered(directory: Path) -> None:
    result = run_stage("ask", directory)
    assert result["products"] == COUNT + SMALL_COUNT
    assert result["right"]
    assert result["near"][0] == product_id(7)
    blue = sum(
        attributes_["colour"] == "blue" and attributes_["price"] <= 100
        for attributes_ in map(short_attributes, range(COUNT))
    )
    assert result["blue"] == blue
    assert result["noted"] == 1
    assert result["facets"] == ["category", "colour", "in_stock", "price"]
    assert result["recommended"] == 2


def short_attributes(number: int) -> dict[str, Any]:
    """Return the attributes that are short enough to filter by."""
    return attributes(number, "")


def test_doctor_finds_no_faults_in_a_large_shop(directory: Path) -> None:
    assert run_stage("examine", directory)["faults"] == []


def test_large_shop_is_served_within_the_memory_limit(directory: Path) -> None:
    expected = attributes(7, text_pool())
    with (
        serving(directory / "shop") as (process, url),
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        assert client.get("/v1/products", params={"size": 100}).json()["total"] == COUNT + SMALL_COUNT
        body = client.get(f"/v1/products/{product_id(7)}").json()
        assert body["attributes"] == expected
        page = client.get("/v1/products", params={"q": expected["description"][1000:1040], "size": 100}).json()
        assert product_id(7) in [each["id"] for each in page["results"]]
        blue = client.get("/v1/products", params={"colour": "blue", "size": 1}).json()
        assert COUNT / 8 - 1 < blue["total"] < COUNT / 8 + SMALL_COUNT
        query = {"code": body["code"], "k": 5, "method": "fixed-epsilon"}
        near = client.post("/v1/similar", json=query).json()
        assert near["results"][0]["id"] == product_id(7)
        mb = peak_mb(process.pid)
    print(f"serve: {mb:.0f} MB")
    assert mb < MAX_SERVER_MB
