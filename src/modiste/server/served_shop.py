"""One version of a shop as it is served, with its caches."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import cached_property
from typing import ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from modiste.drawing.xmp import xmp_packet
from modiste.errors import ModisteError
from modiste.images.photo import Photo, to_jpeg
from modiste.search.index import warm_up_kernels as warm_search
from modiste.server.byte_cache import ByteCache
from modiste.server.http_cache import CachedBody
from modiste.server.metrics import Metrics
from modiste.server.settings import Settings
from modiste.server.thread_pools import ThreadPools
from modiste.shop.design_pictures import DesignPictures
from modiste.shop.products import product_title
from modiste.shop.query import QueryEngine
from modiste.shop.shop import Shop

P = ParamSpec("P")
T = TypeVar("T")

JPEG_QUALITY = 88  # of a drawn design: 5 kB at 180 x 240, without visible artefacts


class PictureWriter(Protocol):
    """Encodes a picture with XMP metadata."""

    def __call__(self, photo: Photo, *, xmp: bytes) -> bytes:
        """Encode a picture, uint8 `(H, W, 3)`."""
        ...


def write_frame(photo: Photo, *, xmp: bytes) -> bytes:
    """Encode the picture of a design, as the studio shows it."""
    return to_jpeg(photo, JPEG_QUALITY, xmp)


class ServedShop:
    """One version of a shop, with its caches of pictures and response bodies."""

    def __init__(
        self, shop: Shop, engine: QueryEngine, settings: Settings, pools: ThreadPools, metrics: Metrics
    ) -> None:
        """Create it; `engine` answers the queries."""
        self.shop = shop
        self.engine = engine
        self.design_pictures = DesignPictures(shop, engine.nearest_ids)
        self.pools = pools
        self.metrics = metrics
        self.frame_cache = ByteCache(settings.frame_memory)
        self.photo_cache = ByteCache(settings.photo_memory)
        self.run_draw, self.run_query, self.run_slow = pools.draw.run, pools.query.run, pools.slow.run
        self._bodies: dict[str, CachedBody] = {}

    def warm_up(self) -> None:
        """Load everything that the first response needs, except filters: `load_facets` takes longest."""
        shop = self.shop
        self.pools.photo_worker.start()
        warm_search()
        code = shop.code_of(shop.catalogue.ids[0])
        self.write(lambda: self.design_pictures.draw(code), has_details=True)
        self.engine.similar(code, 1)
        with suppress(ModisteError):  # reported when a client requests it
            shop.jpeg(shop.catalogue.ids[0])
        self.engine.locate(code)
        _ = shop.code_bounds, shop.sliders, shop.map, shop.category_of_cluster
        _ = self.version, self.catalogue_hash, self.ranges, self.photo_hashes

    def load_facets(self) -> None:
        """Load the products' attributes as columns, for filters."""
        _ = self.shop.facets

    @cached_property
    def version(self) -> str:
        """The version of the shop; it changes with the model, the products or the clusters."""
        return self.shop.version

    @cached_property
    def catalogue_hash(self) -> str:
        """The hash of the catalogue that model, encodings and index were checked against."""
        return self.shop.store.hash()

    @cached_property
    def ranges(self) -> NDArray[np.float32]:
        """Minimum and maximum of every latent, float32 `(n, 2)`."""
        return self.shop.sliders.ranges

    @cached_property
    def render_id(self) -> str:
        """Names the model and the slider ranges that /v1/render.jpg draws with."""
        return self.shop.sliders.render_id

    @cached_property
    def photo_hashes(self) -> dict[str, str]:
        """The hash of each product's photo, by id."""
        return self.shop.store.photo_hashes()

    @cached_property
    def search_texts(self) -> list[str]:
        """The case-folded text that a search looks in, by row: id, title, category and all attributes."""
        return [
            "\n".join(
                (id_, category, product_title(id_, attributes), *(str(value) for value in attributes.values()))
            ).casefold()
            for id_, category, attributes in self.shop.catalogue.iter_products()
        ]

    async def run_on_engine(self, work: Callable[[QueryEngine], T]) -> T:
        """Return what `work` returns for the engine, on a query thread; see QueryRunner."""
        return await self.run_query(work, self.engine)

    async def cached_photo(self, key: Hashable, work: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
        """Return the photo of `key` from the cache; if it is not there, what `work` returns."""
        photo = self.photo_cache.get(key)
        if photo is None:
            photo = await self.run_query(work, *args, **kwargs)
            self.photo_cache.put(key, photo)
        return photo

    async def cached_body(self, name: str, build: Callable[[Shop], CachedBody]) -> CachedBody:
        """Return the body that `build` builds of the shop, built once. Raises ProblemException (503) if overloaded."""
        body = self._bodies.get(name)
        return await self.run_query(self.build_body, name, build) if body is None else body

    def build_body(self, name: str, build: Callable[[Shop], CachedBody]) -> CachedBody:
        """Build a body, and cache it under a name."""
        body = self._bodies[name] = build(self.shop)
        return body

    def xmp(self, has_details: bool) -> bytes:
        """Return the mark of a drawn picture."""
        return xmp_packet(self.shop.model.model_id, has_details=has_details)

    def write(self, draw: Callable[[], Photo], has_details: bool, write: PictureWriter = write_frame) -> bytes:
        """Return the picture that `draw` draws as `write` writes it, marked as drawn; the time is measured."""
        start = time.perf_counter()
        picture = write(draw(), xmp=self.xmp(has_details))
        self.metrics.decode_seconds.observe(time.perf_counter() - start)
        return picture


def to_base64(data: bytes) -> str:
    """Return bytes as base64 text, for JSON."""
    return base64.b64encode(data).decode("ascii")
