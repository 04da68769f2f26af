"""Only clients with the admin key change the shop; visitors notice nothing except the changed products."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from modiste.images.photo import decode_jpeg, fit_photo, read_photo, to_jpeg, to_png
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.product_changes import InMemorySource, model_ids, run_step
from modiste.pipeline.train import train_shop
from modiste.server.app import create_app
from modiste.server.auth import new_key
from modiste.server.middleware.body_limit import MAX_PHOTO_BYTES, MULTIPART_OVERHEAD_BYTES
from modiste.server.settings import Settings
from modiste.shop.shop import Shop
from modiste.sources.record import Record
from modiste.sources.sanitize import MAX_TEXT_CHARS, id_problem
from modiste.storage.locks import write_lock
from modiste.storage.product_store import ProductStore
from tests.server.client import refused
from tests.server.conftest import UNLIMITED
from tests.server.routes.test_encode import no_disk
from tests.zoo import jpeg_with_scans, written, zoo

ADMIN, READER = new_key(), new_key()
KEY = {"Authorization": f"Bearer {ADMIN[0]}"}
READ = {"Authorization": f"Bearer {READER[0]}"}
CHANGES = [
    ("PUT", "/v1/admin/products/new"),
    ("DELETE", "/v1/admin/products/new"),
    ("POST", "/v1/admin/model"),
    ("POST", "/v1/admin/reindex"),
    ("POST", "/v1/admin/reload"),
]


@pytest.fixture
def admin_server(shop_copy: Path) -> Iterator[tuple[TestClient, Path]]:
    """A client of a server with both keys, on its own shop."""
    settings = Settings(admin_key=ADMIN[1], read_key=READER[1], **UNLIMITED)
    with TestClient(create_app(Shop.open(shop_copy, need="map"), settings), raise_server_exceptions=False) as client:
        yield client, shop_copy


def settled(client: TestClient) -> dict[str, Any]:
    """Return the state of the shop once the refresh has ended."""
    for _ in range(600):
        state = client.get("/v1/admin", headers=READ).json()
        if not state["refreshing"]:
            return state
        time.sleep(0.05)
    raise AssertionError(state)


def noise(seed: int) -> bytes:
    return to_png(np.random.default_rng(seed).integers(0, 255, (64, 48, 3), dtype=np.uint8))


def put(client: TestClient, id_: str, photo: bytes, category: str = "bags", **more: str) -> Any:
    files = {"photo": ("p.png", photo, "image/png")}
    data = {"category": category, **more}
    return client.put(f"/v1/admin/products/{id_}", headers=KEY, files=files, data=data)


def test_admin_routes_do_not_exist_without_an_admin_key(client: TestClient) -> None:
    for method, path in [("GET", "/v1/admin"), *CHANGES]:
        refused(client.request(method, path, headers=KEY, json={"model": "x"}), 404, "not_found")


def test_each_key_allows_its_routes(admin_server: tuple[TestClient, Path]) -> None:
    client, _ = admin_server
    headers_without_key = ("Bearer ", f"Basic {ADMIN[0]}", ADMIN[0], f"Bearer {ADMIN[1]}", b"Bearer \xe9\xff")
    wrong: list[dict[str, Any]] = [{}, *({"Authorization": each} for each in headers_without_key)]
    for headers in wrong:
        for method, path in [("GET", "/v1/admin"), *CHANGES]:
            answer = client.request(method, path, headers=headers, json={"model": "x"})
            refused(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
    for method, path in CHANGES:
        refused(client.request(method, path, headers=READ, json={"model": "x"}), 403, "read_only")
    assert client.get("/v1/admin", headers=READ).status_code == 200
    assert client.get("/v1/admin", headers=KEY).status_code == 200


def test_product_is_added_changed_and_removed(admin_server: tuple[TestClient, Path]) -> None:
    client, path = admin_server
    before = settled(client)
    answer = put(client, "new%2Fone", noise(1), attributes='{"name": "New", "year": 2020}')
    assert answer.status_code == 202, answer.text
    stored = Shop.open(path, need="catalogue").catalogue  # it is on disk by now
    assert stored.attributes(stored.row("new/one")) == {"name": "New", "year": 2020}
    state = settled(client)
    assert state["error"] == ""
    assert (state["products"], state["previous_version"]) == (before["products"] + 1, before["shop_version"])
    assert client.get("/v1/products/new%2Fone").json()["title"] == "New"
    first = client.get("/v1/products/new%2Fone/photo.jpg").content
    assert put(client, "new%2Fone", noise(2)).status_code == 202
    settled(client)
    assert client.get("/v1/products/new%2Fone/photo.jpg").content != first
    assert client.delete("/v1/admin/products/new%2Fone", headers=KEY).status_code == 202
    assert settled(client)["products"] == before["products"]
    refused(client.get("/v1/products/new%2Fone"), 404, "unknown_product")
    Shop.open(path, need="map")


def test_invalid_product_is_rejected_and_changes_nothing(admin_server: tuple[TestClient, Path]) -> None:
    client, path = admin_server
    known = Shop.open(path, need="catalogue")
    version = settled(client)["shop_version"]
    refused(put(client, "x", b"no photo"), 422, "photo_error")
    refused(put(client, "x", noise(1), category=" "), 422, "validation")
    refused(put(client, "x", noise(1), attributes="[1]"), 422, "validation")
    refused(put(client, "x", noise(1), attributes='{"a": {"b": 1}}'), 422, "validation")
    refused(put(client, "x%00", noise(1)), 422, "validation")
    refused(put(client, "x" * 600, noise(1)), 422, "validation")
    refused(put(client, "x", noise(1), category="x" * 513), 422, "validation")
    refused(put(client, "x", noise(1), attributes=json.dumps({"a": "x" * (MAX_TEXT_CHARS + 1)})), 422, "validation")
    refused(put(client, "x", b"\x00" * 5_100_000), 413, "too_large")
    refused(client.delete("/v1/admin/products/none", headers=KEY), 404, "unknown_product")
    refused(client.post("/v1/admin/model", headers=KEY, json={"model": "../../x"}), 422, "bad_option")
    again = Shop.open(path, need="map")
    assert again.store.hash() == known.store.hash()
    assert settled(client)["shop_version"] == version


@pytest.mark.parametrize("announced", [True, False])
def test_oversized_upload_is_rejected_early_and_never_written_to_disk(
    admin_server: tuple[TestClient, Path], monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    client, _ = admin_server
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", no_disk)
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n\r\n'
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        yield head
        for _ in range(200):
            sent += 100_000
            yield bytes(100_000)

    headers = KEY | {"Content-Type": "multipart/form-data; boundary=x"}
    body = b"".join(chunks()) if announced else chunks()
    read: list[int] = []
    write = SpooledTemporaryFile.write
    monkeypatch.setattr(
        SpooledTemporaryFile, "write", lambda file, data: (read.append(len(data)), write(file, data))[1]
    )
    answer = client.put("/v1/admin/products/x", headers=headers, content=body)
    refused(answer, 413, "too_large")
    assert sum(read) <= (0 if announced else MAX_PHOTO_BYTES + MULTIPART_OVERHEAD_BYTES)


@pytest.mark.parametrize("id_", ["帽子", "a b", "../x", "=1+1", "a\xa0b", "\u3000", "👩\u200d🦰", "x" * 512])
@pytest.mark.parametrize("end", ["", "\x1b", "\u202e", "\x9b"])
def test_uploaded_ids_follow_the_rules_of_tables(admin_server: tuple[TestClient, Path], id_: str, end: str) -> None:
    """One rule for ids, for tables and for uploads."""
    client, path = admin_server
    name = id_[: 512 - len(end)] + end
    if (why := id_problem(name)) is None:
        assert put(client, quote(name, safe=""), noise(1)).status_code == 202
        assert name in Shop.open(path, need="catalogue").catalogue.ids
    else:
        for answer in (
            put(client, quote(name, safe=""), noise(1)),
            client.delete(f"/v1/admin/products/{quote(name, safe='')}", headers=KEY),
        ):
            assert why in refused(answer, 422, "validation")["detail"].replace("An id", "an id")
        assert end


def test_uploaded_attributes_are_cleaned_like_those_of_tables(admin_server: tuple[TestClient, Path]) -> None:
    client, path = admin_server
    json_text = '{"Base Colour": "red\\ud800", "id": 3, "x": NaN, "y": 1e999, "n": null, "big": %s}' % ("9" * 400)
    assert put(client, "odd", noise(1), attributes=json_text).status_code == 202
    stored = Shop.open(path, need="catalogue").catalogue
    assert stored.attributes(stored.row("odd")) == {"base_colour": "red?", "source_id": 3, "big": "9" * 400}


class TestPhotos:
    """The photo worker reads these photos too."""

    @pytest.mark.parametrize("name", [name for name, bad in zoo().items() if bad.reason])
    def test_bad_photo_is_rejected_with_its_reason(
        self, shared_admin_server: tuple[TestClient, Path], name: str
    ) -> None:
        client, path = shared_admin_server
        before = Shop.open(path, need="catalogue").store.hash()
        reason = zoo()[name].reason
        status = 413 if reason == "too_large" else 422
        assert refused(put(client, "bad", zoo()[name].data), status, "photo_error")["reason"] == reason
        assert Shop.open(path, need="catalogue").store.hash() == before

    @pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
    def test_largest_photo_uses_little_memory_of_the_server(self, shared_admin_server: tuple[TestClient, Path]) -> None:
        client, _ = shared_admin_server
        largest = written(Image.new("RGBA", (4400, 4500), (1, 2, 3, 4)), "WEBP", method=0)
        put(client, "first", noise(1))
        settled(client)
        Path("/proc/self/clear_refs").write_text("5")
        before = process_memory_mb("VmRSS")
        assert put(client, "largest", largest).status_code == 202
        growth = process_memory_mb("VmHWM") - before
        settled(client)
        assert growth < 60  # MB; its pixels are 80 with transparency, and 60 without

    def test_uploaded_product_equals_the_ingested_one(self, shared_admin_server: tuple[TestClient, Path]) -> None:
        client, path = shared_admin_server
        photo = written(Image.effect_noise((300, 200), 60).convert("RGB"), "JPEG")
        assert put(client, "same", photo, category="bags").status_code == 202
        settled(client)
        source = InMemorySource([Record("same", "bags", photo, {})])
        assert ingest(source, path).unchanged == 1
        stored = Shop.open(path, need="catalogue")
        np.testing.assert_allclose(
            stored.photo("same"), decode_jpeg(to_jpeg(fit_photo(read_photo(photo), stored.frame)))
        )

    @pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
    def test_photo_that_kills_the_photo_worker_is_rejected(self, shared_admin_server: tuple[TestClient, Path]) -> None:
        client, _ = shared_admin_server
        worker: Any = client.app.state.versions.pools.photo_worker  # type: ignore[attr-defined]
        pid = worker.pid
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(put, client, "slow", jpeg_with_scans(4400, 85))
            time.sleep(0.5)
            os.kill(pid, signal.SIGKILL)
            assert refused(future.result(), 422, "photo_error")["reason"] == "unreadable"
        assert put(client, "after", noise(4)).status_code == 202


@pytest.fixture(scope="module")
def shared_admin_server(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Path]]:
    """A client of a server with both keys, on a shop of its own, for several tests."""
    root = tmp_path_factory.mktemp("admin") / "shop"
    shutil.copytree(built, root)
    settings = Settings(admin_key=ADMIN[1], read_key=READER[1], **UNLIMITED)
    with TestClient(create_app(Shop.open(root, need="map"), settings), raise_server_exceptions=False) as client:
        yield client, root


def process_memory_mb(name: str) -> float:
    """Return this process's memory, in MB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(name + ":"))


@pytest.mark.slow
def test_server_switches_to_another_model_and_back(admin_server: tuple[TestClient, Path]) -> None:
    client, path = admin_server
    one = settled(client)
    old = Shop.open(path, need="map")
    # A second model, trained beside the server.
    other = train_shop(path, epochs=2, latent=8, seed=5).model_id
    assert other != one["model"]
    assert client.get("/v1/shop").json()["model"] == one["model"]
    assert client.post("/v1/admin/reload", headers=KEY).status_code == 202
    two = settled(client)
    assert (two["model"], two["error"], set(two["models"])) == (other, "", {one["model"], other})
    # A page that was loaded with the first model stays with it.
    frame = {"render_id": one["model"], "design": "AAAAAAAAAAA"}
    assert client.get("/v1/render.jpg", params=frame).status_code == 200
    staying = {"Modiste-Shop-Version": one["shop_version"]}
    began = client.post("/v1/similar", json={"product": old.catalogue.ids[0]}, headers=staying)
    assert began.headers["modiste-shop-version"] == one["shop_version"]
    np.testing.assert_allclose(began.json()["query"]["code"], old.code_of(old.catalogue.ids[0]), rtol=1e-6)
    assert client.get("/v1/shop").headers["modiste-shop-version"] == two["shop_version"]
    assert client.post("/v1/admin/model", headers=KEY, json={"model": one["model"]}).status_code == 202
    back = settled(client)
    assert (back["model"], back["error"]) == (one["model"], "")
    assert client.get("/v1/render.jpg", params=frame).status_code == 200


def test_requests_succeed_while_the_shop_changes(admin_server: tuple[TestClient, Path]) -> None:
    client, path = admin_server
    ids = Shop.open(path, need="catalogue").catalogue.ids
    statuses: list[int] = []
    done = threading.Event()

    def visit() -> None:
        render_id = client.get("/v1/sliders").json()["render_id"]
        while not done.is_set():
            statuses.append(
                client.get("/v1/render.jpg", params={"render_id": render_id, "design": "AAAAAAAAAAA"}).status_code
            )
            statuses.append(client.post("/v1/similar", json={"product": ids[0], "k": 3}).status_code)
            statuses.append(client.post("/v1/recommend", json={"product": ids[1], "k": 2}).status_code)

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for each in visitors:
        each.start()
    for seed in range(3):
        assert put(client, f"new-{seed}", noise(seed)).status_code == 202
    state = settled(client)
    done.set()
    for each in visitors:
        each.join()
    assert state["error"] == ""
    assert state["products"] == len(ids) + 3
    assert len(statuses) > 20
    assert set(statuses) == {200}


def test_admin_status_is_consistent(admin_server: tuple[TestClient, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = admin_server
    app: Any = client.app
    before, original = settled(client), model_ids

    def slow(files: Any) -> list[str]:
        """Return the models, once the change is served."""
        while app.state.refresher.is_refreshing:
            time.sleep(0.02)
        return original(files)

    monkeypatch.setattr("modiste.server.routes.admin.model_ids", slow)
    response = put(client, "new", noise(1)).json()
    assert (response["refreshing"], response["products"]) == (False, before["products"] + 1)


def test_admin_status_names_the_running_step(
    admin_server: tuple[TestClient, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = admin_server
    assert settled(client)["stage"] is None
    may_run = threading.Event()

    def run_later(*arguments: Any, **options: Any) -> None:
        may_run.wait(60)
        run_step(*arguments, **options)

    monkeypatch.setattr("modiste.server.refresher.run_step", run_later)
    assert put(client, "new", noise(1)).status_code == 202
    try:
        status = wait_for_stage(client)
    finally:
        may_run.set()
    assert (status["refreshing"], status["stage"]) == (True, "update")
    assert settled(client)["stage"] is None


def wait_for_stage(client: TestClient) -> dict[str, Any]:
    """Return the status once a step runs."""
    for _ in range(600):
        status = client.get("/v1/admin", headers=READ).json()
        if status["stage"] is not None:
            return status
        time.sleep(0.05)
    raise AssertionError(status)


def test_full_queue_does_not_delay_a_change(shop_copy: Path) -> None:
    app = create_app(Shop.open(shop_copy, need="map"), Settings(admin_key=ADMIN[1], read_key=READER[1], **UNLIMITED))
    with TestClient(app) as client:
        before = settled(client)
        pool, end = app.state.versions.pools.query, threading.Event()

        async def crowd() -> list[Any]:
            """Fill the queue; further requests are refused."""
            waiting = [pool.run(end.wait) for _ in range(pool._max_pending)]
            return await asyncio.gather(*waiting)

        assert client.portal is not None
        waited = client.portal.start_task_soon(crowd)
        assert put(client, "new", noise(1)).status_code == 202
        state = settled(client)
        assert client.get("/v1/model-card").status_code == 503
        end.set()
        waited.result()
    assert (state["products"], state["error"]) == (before["products"] + 1, "")


def test_changed_attributes_are_served(admin_server: tuple[TestClient, Path]) -> None:
    """Prices change every night: the same photo with other attributes is another version of the shop."""
    client, path = admin_server
    put(client, "new", noise(1), attributes='{"name": "New", "price": 10}')
    before = settled(client)
    put(client, "new", noise(1), attributes='{"name": "Newer", "price": 9}')
    state = settled(client)
    assert state["shop_version"] != before["shop_version"]
    assert client.get("/v1/products/new").json()["title"] == "Newer"
    store = ProductStore.open(path / "store")  # by an ingest, not by the server
    store.upsert([replace(store.get("new"), attributes={"name": "Newest", "price": 8})])
    client.post("/v1/admin/reload", headers=KEY)
    assert settled(client)["shop_version"] not in (before["shop_version"], state["shop_version"])
    assert client.get("/v1/products/new").json()["title"] == "Newest"


def test_broken_shop_is_not_served(admin_server: tuple[TestClient, Path]) -> None:
    client, path = admin_server
    version = settled(client)["shop_version"]
    manifest = (path / "shop.json").read_bytes()
    (path / "shop.json").write_text("{")
    assert client.post("/v1/admin/reload", headers=KEY).status_code == 202
    state = settled(client)
    assert state["shop_version"] == version
    assert "shop.json" in state["error"]
    assert client.get("/v1/shop").status_code == 200
    assert client.get("/readyz").status_code == 200
    (path / "shop.json").write_bytes(manifest)
    assert client.post("/v1/admin/reindex", headers=KEY).status_code == 202
    assert settled(client)["error"] == ""


def test_change_waits_for_the_write_lock_until_the_deadline(shop_copy: Path) -> None:
    settings = Settings(admin_key=ADMIN[1], deadline=1.0, **UNLIMITED)
    with TestClient(create_app(Shop.open(shop_copy, need="map"), settings)) as client:
        with write_lock(shop_copy):
            refused(put(client, "new", noise(1)), 503, "too_slow")
        assert put(client, "new", noise(1)).status_code == 202


def test_clusters_are_rebuilt_with_their_previous_options(admin_server: tuple[TestClient, Path]) -> None:
    client, path = admin_server
    cluster_shop(path, k=2, method="kmeans", features="mean")
    put(client, "new", noise(1))
    assert settled(client)["error"] == ""
    clusters = Shop.open(path, need="map").manifest.clusters
    assert (clusters["k"], clusters["method"], clusters["on"]) == (2, "kmeans", "mean")
    assert len(client.get("/v1/shop").json()["clusters"]) == 2


def test_only_admin_paths_have_put_delete_or_patch(app: FastAPI) -> None:
    writing = {
        path for path, operations in app.openapi()["paths"].items() if {"put", "delete", "patch"} & set(operations)
    }
    assert writing == {"/v1/admin/products/{id}"}
