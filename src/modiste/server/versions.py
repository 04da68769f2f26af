"""Switching: which version of the shop visitors are served, and going over to another without failing any of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from modiste._version import __version__
from modiste.errors import ModisteError
from modiste.server.log_config import logger
from modiste.server.metrics import Metrics
from modiste.server.payloads import build_payloads
from modiste.server.served_shop import ServedShop, ThreadPools
from modiste.server.settings import Settings
from modiste.shop.backend import SearchBackend
from modiste.shop.query import QueryEngine
from modiste.shop.shop import Shop

REMOTE_QUERY_THREADS = (
    8  # threads more that ask, where something else looks: they wait for it, and work little
)
BackendFactory = Callable[[str, SearchBackend], SearchBackend]
"""Makes what searches a version of the shop, from the version and the backend that searches in this process."""


class VersionManager:
    """The version that is served, and the one before, for those who began with it.

    A request has the version that it began with to its end. A page may go on with the version that it was loaded
    with, by naming it: a design means nothing to another model.
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
        for crew in self.pools.pools:
            self.metrics.queue_length.labels(crew.name).set_function(lambda crew=crew: crew.pending)
        self.metrics.cache_bytes.labels("frames").set_function(lambda: self.current.frame_cache.used_bytes)
        self.metrics.cache_bytes.labels("photos").set_function(lambda: self.current.photo_cache.used_bytes)

    async def start(self) -> None:
        """Load all that the first visitor would wait for."""
        await self.current.run_query(self.current.warm_up)
        await self.current.run_query(self.current.load_facets)
        self._update_metrics()
        self.ready = True

    async def switch(self) -> ServedShop:
        """Serve the shop as it is on disk now, once what answers is loaded; until then, and if it cannot be, as before.

        Raises:
            ShopError: the shop on disk cannot answer.
        """
        async with self._switch_lock:
            old = self.current
            new = await asyncio.to_thread(self._open, old.shop.path)
            if new.version == old.version:
                return old
            self.current, self.previous = new, old
            self._update_metrics()
            await build_payloads(new)  # beside the visitors, who are answered meanwhile
            return new

    def get(self, version: str) -> ServedShop:
        """The version with a name, if it is still here; else the one that is served."""
        if self.previous is not None and version == self.previous.version:
            return self.previous
        return self.current

    def find_by_render_id(self, frames: str) -> ServedShop | None:
        """The version that draws frames of a name; None if there is none, or none any more."""
        for each in (self.current, self.previous):
            if each is not None and each.render_id == frames:
                return each
        return None

    def close(self) -> None:
        """Stop being ready, and let the threads end what they are at."""
        self.ready = False
        self.pools.close()

    def _open(self, path: Path | str) -> ServedShop:
        # As many threads to a question as the shop before was opened with.
        shop = Shop.open(path, need="map", threads=self.current.shop.threads)
        made = self._served_shop(shop)
        made.warm_up()
        return made

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


async def follow(front: VersionManager) -> None:
    """Go over to the shop as it is on disk, on SIGHUP; what is served stays where that cannot be."""
    try:
        logger.info("serving version %s", (await front.switch()).version)
    except ModisteError as error:
        logger.error("still serving version %s: %s", front.current.version, error)
