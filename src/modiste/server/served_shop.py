"""Studio: one version of a shop as it is served, the threads that work for it, and the pictures it remembers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import cached_property
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from modiste.errors import ModisteError
from modiste.images.photo import Photo, to_jpeg
from modiste.search.index import warm_up_kernels as warm_search
from modiste.server.byte_cache import ByteCache
from modiste.server.http_cache import CachedBody
from modiste.server.metrics import Metrics
from modiste.server.photo_worker.client import PhotoWorker
from modiste.server.settings import Settings
from modiste.server.thread_pools import BoundedPool
from modiste.shop.products import product_title
from modiste.shop.query import QueryEngine
from modiste.shop.shop import Shop

P = ParamSpec("P")
T = TypeVar("T")

JPEG_QUALITY = 88  # of a drawn frame: 5 kB at 180 x 240, and no artefact one could see in what a model draws


class ThreadPools:
    """The threads of a server, whatever it serves.

    Drawing and asking have threads of their own, so that a search does not hold up a slider; photos and animations,
    which take long and much memory, are done one at a time. Nothing that computes runs on the event loop. Photos are
    read in a process of their own.
    """

    def __init__(self, settings: Settings, extra_query_threads: int = 0) -> None:
        """With so many threads more to ask as are `waiting` for others to look for products."""
        self.draw = BoundedPool("draw", settings.threads, settings.queue)
        self.query = BoundedPool("ask", settings.threads + extra_query_threads, settings.queue)
        self.slow = BoundedPool("slow", 1, settings.queue)
        self.pools = (self.draw, self.query, self.slow)
        self.photo_worker = PhotoWorker()

    def close(self) -> None:
        """Let the threads end what they are at, and the process that reads photos."""
        for crew in self.pools:
            crew.close()
        self.photo_worker.close()


class ServedShop:
    """One version of a shop, served: with the pictures of it that are remembered."""

    def __init__(
        self, shop: Shop, engine: QueryEngine, settings: Settings, pools: ThreadPools, metrics: Metrics
    ) -> None:
        """Create it; `engine` answers the questions about codes."""
        self.shop = shop
        self.engine = engine
        self.pools = pools
        self.metrics = metrics
        self.frame_cache = ByteCache(settings.frame_memory)
        self.photo_cache = ByteCache(settings.photo_memory)
        self.run_draw, self.run_query, self.run_slow = pools.draw.run, pools.query.run, pools.slow.run
        self._bodies: dict[str, CachedBody] = {}

    def warm_up(self) -> None:
        """Load all that the first answer needs. What filters need, `load_facets` loads: it takes longest."""
        shop = self.shop
        self.pools.photo_worker.start()
        warm_search()
        code = shop.code_of(shop.catalogue.ids[0])
        self.draw(code)
        self.engine.similar(code, 1)
        with suppress(ModisteError):  # a photo that cannot be read is for whoever asks for it to hear of
            shop.jpeg(shop.catalogue.ids[0])
        self.engine.locate(code)
        _ = (
            self.version,
            self.catalogue_hash,
            shop.code_bounds,
            shop.sliders,
            shop.map,
            shop.category_of_cluster,
            self.ranges,
            self.photo_etags,
        )

    def load_facets(self) -> None:
        """Load the products' attributes as columns, for filters."""
        _ = self.shop.facets

    @cached_property
    def version(self) -> str:
        """Names what is served: the model, the catalogue and its clusters. Another of these is another version."""
        return self.shop.version

    @cached_property
    def catalogue_hash(self) -> str:
        """The hash of the catalogue that the model, the encodings and the index were checked against when loaded."""
        return self.shop.store.hash()

    @cached_property
    def ranges(self) -> NDArray[np.float32]:
        """Minimum and maximum of every latent, float32 `(n, 2)`."""
        return self.shop.sliders.ranges

    @cached_property
    def render_id(self) -> str:
        """What a frame's `m` must be."""
        return self.shop.sliders.render_id

    @cached_property
    def photo_etags(self) -> dict[str, str]:
        """What each product's photo is told apart by: the beginning of its hash."""
        table = self.shop.store.table(["id", "photo_hash"])
        pairs = zip(table.column("id").to_pylist(), table.column("photo_hash").to_pylist(), strict=True)
        return {str(id_): str(hashed)[:20] for id_, hashed in pairs}

    @cached_property
    def search_texts(self) -> list[str]:
        """What a search looks in, by row: id, title, category and every attribute, for comparing without case."""
        return [
            "\n".join(
                (id_, category, product_title(id_, held), *(str(value) for value in held.values()))
            ).casefold()
            for id_, category, held in self.shop.catalogue.iter_products()
        ]

    async def run_on_engine(self, work: Callable[[QueryEngine], T]) -> T:
        """Return what `work` returns for the engine, on a query thread; see QueryRunner."""
        return await self.run_query(work, self.engine)

    async def cached_photo(
        self, key: Hashable, work: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs
    ) -> bytes:
        """A photo, or what was made of it, as `work` returns it; kept by `key` among the last ones asked for."""
        found = self.photo_cache.get(key)
        if found is None:
            found = await self.run_query(work, *args, **kwargs)
            self.photo_cache.put(key, found)
        return found

    async def cached_body(self, name: str, make: Callable[[Shop], CachedBody]) -> CachedBody:
        """What `make` makes of the shop, made once. Raises Refusal (503) when too many wait."""
        found = self._bodies.get(name)
        return await self.run_query(self.build_body, name, make) if found is None else found

    def build_body(self, name: str, make: Callable[[Shop], CachedBody]) -> CachedBody:
        """Have what `make` makes of the shop kept under a name, from now on."""
        found = self._bodies[name] = make(self.shop)
        return found

    def draw(self, code: NDArray[np.float32], write: Callable[[Photo], bytes] | None = None) -> bytes:
        """The product that a code draws, as a JPEG or as `write` writes it. Raises BadCode."""
        began = time.perf_counter()
        photo = self.shop.decode(code)
        picture = write(photo) if write is not None else to_jpeg(photo, JPEG_QUALITY)
        self.metrics.decode_seconds.observe(time.perf_counter() - began)
        return picture


def to_base64(data: bytes) -> str:
    """Bytes as text, for JSON."""
    return base64.b64encode(data).decode("ascii")
