"""The versions of the shop that are served, and switching between them without failed requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from modiste._version import __version__
from modiste.server.metrics import Metrics
from modiste.server.payloads import build_payloads
from modiste.server.served_shop import ServedShop, ThreadPools
from modiste.server.settings import Settings
from modiste.shop.backend import SearchBackend
from modiste.shop.query import QueryEngine
from modiste.shop.shop import Shop

REMOTE_QUERY_THREADS = 8  # additional ones, which wait for another process that searches
BackendFactory = Callable[[str, SearchBackend], SearchBackend]
"""Creates the backend of a version of the shop, from the version and the backend that searches in this process."""


class VersionManager:
    """The current version, and the previous one for pages that were loaded with it.

    A request stays with the version that it started with. A page may stay with the version that it was loaded with, by
    naming it in a header: a code has no meaning for another model.
    """

    def __init__(self, shop: Shop, settings: Settings, backend_factory: BackendFactory | None = None) -> None:
        self.settings = settings
        self._backend_factory = backend_factory
        self.metrics = Metrics()
        self.pools = ThreadPools(settings, REMOTE_QUERY_THREADS if backend_factory is not None else 0)
        self.current = self._served_shop(shop)
        self.previous: ServedShop | None = None
        self.ready = False
        self._switch_lock = asyncio.Lock()
        for pool in self.pools.pools:
            self.metrics.queue_length.labels(pool.name).set_function(lambda pool=pool: pool.pending)
        self.metrics.cache_bytes.labels("frames").set_function(lambda: self.current.frame_cache.used_bytes)
        self.metrics.cache_bytes.labels("photos").set_function(lambda: self.current.photo_cache.used_bytes)

    async def start(self) -> None:
        """Load everything that the first request needs."""
        await self.current.run_query(self.current.warm_up)
        await self.current.run_query(self.current.load_facets)
        self._update_metrics()
        self.ready = True

    async def switch(self) -> ServedShop:
        """Serve the shop as it is on disk now, after loading it. Until then, and if that fails, nothing changes.

        Raises ShopError if the shop on disk cannot answer.
        """
        async with self._switch_lock:
            old = self.current
            new = await asyncio.to_thread(self._open, old.shop.path)
            if new.version == old.version:
                return old
            self.current, self.previous = new, old
            self._update_metrics()
            await build_payloads(new)  # requests are served meanwhile
            return new

    def get(self, version: str) -> ServedShop:
        """Return the version with this name, if it is still served; else the current one."""
        if self.previous is not None and version == self.previous.version:
            return self.previous
        return self.current

    def find_by_render_id(self, render_id: str) -> ServedShop | None:
        """Return the version with this `render_id`; None if there is none, or no longer."""
        for each in (self.current, self.previous):
            if each is not None and each.render_id == render_id:
                return each
        return None

    def close(self) -> None:
        """Stop being ready, finish the running calls, and stop the threads."""
        self.ready = False
        self.pools.close()

    def _open(self, path: Path | str) -> ServedShop:
        # With as many threads per query as the current shop.
        shop = Shop.open(path, need="map", threads=self.current.shop.threads)
        served = self._served_shop(shop)
        served.warm_up()
        return served

    def _served_shop(self, shop: Shop) -> ServedShop:
        engine = shop.query_engine
        if self._backend_factory is not None:
            backend = self._backend_factory(shop.version, engine.backend)
            engine = QueryEngine(engine.context, backend, shop.jpeg)
        return ServedShop(shop, engine, self.settings, self.pools, self.metrics)

    def _update_metrics(self) -> None:
        shop = self.current.shop
        self.metrics.product_count.set(len(shop.catalogue))
        self.metrics.info.clear()
        self.metrics.info.labels(__version__, shop.model.model_id).set(1)
