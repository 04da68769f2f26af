"""Switching: which version of the shop visitors are served, and going over to another without failing any of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from modiste._version import __version__
from modiste.errors import ModisteError
from modiste.server.log_config import log
from modiste.server.metrics import Metrics
from modiste.server.payloads import prepare
from modiste.server.served_shop import Crews, Studio
from modiste.server.settings import Settings
from modiste.shop.backend import Elsewhere
from modiste.shop.shop import Shop

WAITING = 8  # threads more that ask, where something else looks: they wait for it, and work little
LooksFor = Callable[[str], Elsewhere]
"""What looks for products of a version of the shop, by its name."""


class Front:
    """The version that is served, and the one before, for those who began with it.

    A request has the version that it began with to its end. A page may go on with the version that it was loaded
    with, by naming it: a design means nothing to another model.
    """

    def __init__(self, shop: Shop, settings: Settings, looks_for: LooksFor | None = None) -> None:
        self.settings = settings
        self._looks_for = looks_for
        self.metrics = Metrics()
        self.crews = Crews(settings, WAITING if looks_for is not None else 0)
        self.now = self._studio(shop)
        self.before: Studio | None = None
        self.ready = False
        self._switching = asyncio.Lock()
        for crew in self.crews.all:
            self.metrics.queue.labels(crew.name).set_function(lambda crew=crew: crew.under_way)
        self.metrics.cached.labels("frames").set_function(lambda: self.now.frames.size)
        self.metrics.cached.labels("photos").set_function(lambda: self.now.photos.size)

    async def begin(self) -> None:
        """Load all that the first visitor would wait for."""
        await self.now.asked(self.now.warm)
        self._tell()
        self.ready = True

    async def switch(self) -> Studio:
        """Serve the shop as it is on disk now, once it is all loaded; until then, and if it cannot be, as before.

        Raises:
            ShopError: the shop on disk cannot answer.
        """
        async with self._switching:
            old = self.now
            new = await asyncio.to_thread(self._opened, old.shop.path)
            if new.version == old.version:
                return old
            await prepare(new)
            self.now, self.before = new, old
            self._tell()
            return new

    def named(self, version: str) -> Studio:
        """The version with a name, if it is still here; else the one that is served."""
        if self.before is not None and version == self.before.version:
            return self.before
        return self.now

    def drawing(self, frames: str) -> Studio | None:
        """The version that draws frames of a name; None if there is none, or none any more."""
        for each in (self.now, self.before):
            if each is not None and each.frames_id == frames:
                return each
        return None

    def close(self) -> None:
        """Stop being ready, and let the threads end what they are at."""
        self.ready = False
        self.crews.close()

    def _opened(self, path: Path | str) -> Studio:
        # As many threads to a question as the shop before was opened with.
        shop = Shop.open(path, need="map", threads=self.now.shop.threads)
        made = self._studio(shop)
        made.warm()
        return made

    def _studio(self, shop: Shop) -> Studio:
        if self._looks_for is not None:
            shop.elsewhere = self._looks_for(shop.version)
        return Studio(shop, self.settings, self.crews, self.metrics)

    def _tell(self) -> None:
        shop = self.now.shop
        self.metrics.products.set(len(shop.catalogue))
        self.metrics.info.clear()
        self.metrics.info.labels(__version__, shop.model.model_id).set(1)


async def follow(front: Front) -> None:
    """Go over to the shop as it is on disk, on SIGHUP; what is served stays where that cannot be."""
    try:
        log.info("serving version %s", (await front.switch()).version)
    except ModisteError as error:
        log.error("still serving version %s: %s", front.now.version, error)
