"""Fuzz targets: the readers of bytes that come from users, the network and disks.

A target gets an empty directory of its own, and returns whether it can read some bytes. Every exception of a target is
a bug: a reader may only raise the errors of `modiste.errors`, which the target catches. Warnings count as errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from modiste.errors import ModisteError
from modiste.images.photo import fit_photo, read_photo
from modiste.latent.arithmetic import interpolate
from modiste.server.app import create_app
from modiste.server.design_codec import dequantise, from_base64url, to_base64url
from modiste.server.settings import Settings
from modiste.shop import loading
from modiste.shop.shop import Shop
from modiste.sources.record import Record
from modiste.sources.registry import open_source
from modiste.sources.sanitize import escape_control_chars, record_problem
from modiste.storage.backup import restore_shop
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import StoredProduct, _products_to_table
from modiste.vae.config import ModelConfig
from tests.server.design_bytes import quantise
from tests.small import SMALL

Target = Callable[[bytes], bool]
SEEDS = Path(__file__).parent / "seeds"
LONGEST = 8192  # bytes: what parsers get wrong shows in few
FRAME = (64, 48)
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
STATUSES = {200, 404, 422}  # of a frame: drawn, of another shop, or no design


@contextmanager
def photo(_: Path) -> Iterator[Target]:
    """The bytes of a photo, decoded in both ways and fitted."""

    def look(data: bytes) -> bool:
        found = fit_photo(read_photo(data, min_size=FRAME), FRAME)
        assert found.shape == (*FRAME, 3)
        assert found.dtype == np.uint8
        return read_photo(data).size > 0

    yield look


@contextmanager
def table(scratch: Path) -> Iterator[Target]:
    """A table of products; the first byte chooses which kind. What comes out of it can be stored.

    Of Parquet only the footer: its pages are unpacked in a process of their own, which is `test_unpacking`'s.
    """
    (scratch / "0.jpg").write_bytes(b"")

    def look(data: bytes) -> bool:
        path = scratch / f"table{TABLES[data[0] % len(TABLES)] if data else '.csv'}"
        path.write_bytes(data[1:])
        source = open_source(str(path))
        if path.suffix == ".parquet":
            return (source.count() or 0) >= 0
        for row in source.records():
            if isinstance(row, Record) and record_problem(row) is None:
                _products_to_table([StoredProduct(row.id, row.category, b"", "", "", dict(row.attributes))])
            else:
                escape_control_chars(f"{row.id} {row}").encode()
        return True

    yield look


@contextmanager
def manifest(scratch: Path) -> Iterator[Target]:
    """`shop.json`."""
    path = ShopPaths(scratch).manifest

    def look(data: bytes) -> bool:
        path.write_bytes(data)
        held = Manifest.load(scratch)
        held.save(scratch)
        assert Manifest.load(scratch) == held
        return True

    yield look


@contextmanager
def model(scratch: Path) -> Iterator[Target]:
    """A model's `config.json`."""

    def look(data: bytes) -> bool:
        (scratch / "config.json").write_bytes(data)
        held = ModelConfig.load(scratch)
        assert np.isfinite(np.asarray(held.epsilon, np.float32)).all()
        held.save(scratch)
        assert ModelConfig.load(scratch) == held
        return True

    yield look


@contextmanager
def clusters(scratch: Path) -> Iterator[Target]:
    """`clusters.json`, and the cluster of a code."""
    shop = _shop(scratch)
    path = shop.files.clusters(shop.model.model_id)

    def look(data: bytes) -> bool:
        path.write_bytes(data)
        held = loading.load_clusters(shop.files, shop.manifest, shop.store)
        found = held.assign(np.zeros((3, held.centres.shape[1])))
        return bool((found < len(held)).all())

    yield look


@contextmanager
def sliders(scratch: Path) -> Iterator[Target]:
    """`sliders.json`, and the ranges in it."""
    shop = _shop(scratch)
    path = shop.files.sliders(shop.model.model_id)

    def look(data: bytes) -> bool:
        path.write_bytes(data)
        held = loading.load_sliders(shop.files, shop.model)
        assert np.isfinite(held.ranges).all()
        assert len(held.render_id) >= 12
        return bool(held.to_dict())

    yield look


@contextmanager
def catalogue_map(scratch: Path) -> Iterator[Target]:
    """`map.json`."""
    shop = _shop(scratch)
    path = shop.files.map(shop.model.model_id)

    def look(data: bytes) -> bool:
        path.write_bytes(data)
        held = loading.load_map(shop.files, shop.store, shop.catalogue, shop.model)
        return bool(held.to_dict())

    yield look


@contextmanager
def code(_: Path) -> Iterator[Target]:
    """The text of a design in an address. An accepted text survives a round trip."""
    ranges = np.linspace(-3.0, 3.0, 16, dtype=np.float32).reshape(8, 2)

    def look(data: bytes) -> bool:
        text = data.decode("utf-8", "surrogateescape")
        held = from_base64url(text, len(ranges))
        numbers = dequantise(held, ranges)
        assert quantise(numbers, ranges) == held
        assert to_base64url(held) == text
        interpolate(numbers, numbers, np.linspace(0, 1, 3))
        return True

    yield look


@contextmanager
def frame(scratch: Path) -> Iterator[Target]:
    """The query of `/v1/render.jpg`, sent to the whole application: a picture, or an error with its reason."""
    often: dict[str, float] = {"frames_per_second": 1e6}
    app = create_app(_shop(scratch), Settings(**often))
    loop = asyncio.new_event_loop()
    versions = app.state.versions
    loop.run_until_complete(versions.start())

    async def asked(query: bytes) -> tuple[int, bytes]:
        answers: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            answers.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/v1/render.jpg",
            "raw_path": b"/v1/render.jpg",
            "root_path": "",
            "query_string": query,
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        await app(scope, receive, send)
        return answers[0]["status"], b"".join(each.get("body", b"") for each in answers[1:])

    def look(data: bytes) -> bool:
        status, body = loop.run_until_complete(asked(data))
        assert status in STATUSES, (status, body[:500])
        assert body.startswith(b"\xff\xd8\xff" if status == 200 else b"{")
        return status == 200

    try:
        yield look
    finally:
        versions.close()
        loop.close()


def _shop(scratch: Path) -> Shop:
    """Return a complete shop of 24 products."""
    restore_shop(SMALL, scratch / "shop")
    return Shop.open(scratch / "shop", need="map")


TARGETS: dict[str, Callable[[Path], AbstractContextManager[Target]]] = {
    "photo": photo,
    "table": table,
    "manifest": manifest,
    "model": model,
    "clusters": clusters,
    "sliders": sliders,
    "map": catalogue_map,
    "code": code,
    "frame": frame,
}
"""Targets by name. The seeds of a target are in `seeds/`, in the folder with its name."""


def reads(target: Target, data: bytes) -> bool:
    """Return whether the target accepts these bytes. All exceptions except Modiste's own errors are bugs."""
    try:
        return target(data)
    except ModisteError:
        return False
