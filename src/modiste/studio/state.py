"""Studio: what one running application holds: the shop, the threads that work for it, and the pictures it remembers."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, ParamSpec, TypeVar

import numpy as np
from fastapi import Depends
from numpy.typing import NDArray
from starlette.requests import Request

from modiste import __version__
from modiste.catalogue.photo import Photo, to_jpeg
from modiste.search.index import warm as warm_search
from modiste.shop.shop import Shop
from modiste.studio.cache import ByteCache
from modiste.studio.metrics import Metrics
from modiste.studio.prepared import Prepared

P = ParamSpec("P")
T = TypeVar("T")

QUALITY = 88  # of a drawn frame: 5 kB at 180 x 240, and no artefact one could see in what a model draws


@dataclass(frozen=True)
class Settings:
    """How to serve: who may embed the page, how many pictures are drawn at once, and what may be remembered."""

    allow_embed: tuple[str, ...] = ()
    threads: int = 2
    frame_bytes: int = 24_000_000
    photo_bytes: int = 24_000_000


class Studio:
    """One shop, served.

    Drawing and asking have threads of their own, so that a search does not hold up a slider; photos and animations,
    which take long and much memory, are done one at a time. Nothing that computes runs on the event loop.
    """

    def __init__(self, shop: Shop, settings: Settings) -> None:
        self.shop = shop
        self.settings = settings
        self.metrics = Metrics()
        self.frames = ByteCache(settings.frame_bytes)
        self.photos = ByteCache(settings.photo_bytes)
        self.ready = False
        self._prepared: dict[str, Prepared] = {}
        self._drawing = ThreadPoolExecutor(settings.threads, "draw")
        self._asking = ThreadPoolExecutor(settings.threads, "ask")
        self._slow = ThreadPoolExecutor(1, "slow")

    def warm(self) -> None:
        """Load all that the first visitor would wait for, and let the counters say what is served."""
        shop = self.shop
        warm_search()
        code = shop.code_of(shop.catalogue.ids[0])
        self.draw(code)
        shop.similar(code, 1)
        shop.typicality(code)
        shop.position_of(code)
        _ = (shop.sliders, shop.map, shop.facets, shop.category_of_cluster, self.ranges, self.photo_tags)
        self.metrics.products.set(len(shop.catalogue))
        self.metrics.info.labels(__version__, shop.model.model_id).set(1)
        self.metrics.cached.labels("frames").set_function(lambda: self.frames.size)
        self.metrics.cached.labels("photos").set_function(lambda: self.photos.size)
        self.ready = True

    def close(self) -> None:
        """Let the threads end what they are at."""
        self.ready = False
        for pool in (self._drawing, self._asking, self._slow):
            pool.shutdown(wait=True, cancel_futures=True)

    @cached_property
    def ranges(self) -> NDArray[np.float32]:
        """Minimum and maximum of every latent, float32 `(n, 2)`."""
        return self.shop.sliders.ranges

    @cached_property
    def frames_id(self) -> str:
        """What a frame's `m` must be."""
        return self.shop.sliders.frames

    @cached_property
    def photo_tags(self) -> dict[str, str]:
        """What each product's photo is told apart by: the beginning of its hash."""
        table = self.shop.store.table(["id", "photo_hash"])
        pairs = zip(table.column("id").to_pylist(), table.column("photo_hash").to_pylist(), strict=True)
        return {str(id_): str(hashed)[:20] for id_, hashed in pairs}

    async def drawn(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, run by the threads that draw."""
        return await _run(self._drawing, partial(work, *args, **kwargs))

    async def asked(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, run by the threads that answer questions."""
        return await _run(self._asking, partial(work, *args, **kwargs))

    async def slowly(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, run by the one thread for what takes long."""
        return await _run(self._slow, partial(work, *args, **kwargs))

    @cached_property
    def texts(self) -> list[str]:
        """What a search looks in, by row: id, title, category and every attribute, for comparing without case."""
        held, shop = self.shop.catalogue, self.shop
        rows = zip(held.ids, held.categories, range(len(held)), strict=True)
        return [
            "\n".join(
                (id_, category, shop.title(row), *(str(value) for value in held.attributes(row).values()))
            ).casefold()
            for id_, category, row in rows
        ]

    async def remembered(
        self, key: Hashable, work: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs
    ) -> bytes:
        """A photo, or what was made of it, as `work` returns it; kept by `key` among the last ones asked for."""
        found = self.photos.get(key)
        if found is None:
            found = await self.asked(work, *args, **kwargs)
            self.photos.put(key, found)
        return found

    async def prepared(self, name: str, make: Callable[[Shop], Prepared]) -> Prepared:
        """What `make` makes of the shop, made once."""
        found = self._prepared.get(name)
        if found is None:
            found = self._prepared[name] = await self.asked(make, self.shop)
        return found

    def draw(self, code: NDArray[np.float32], write: Callable[[Photo], bytes] | None = None) -> bytes:
        """The product that a code draws, as a JPEG or as `write` writes it. Raises BadCode."""
        began = time.perf_counter()
        photo = self.shop.decode(code)
        picture = write(photo) if write is not None else to_jpeg(photo, QUALITY)
        self.metrics.decoding.observe(time.perf_counter() - began)
        return picture


async def _run(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def base64_of(data: bytes) -> str:
    """Bytes as text, for JSON."""
    return base64.b64encode(data).decode("ascii")


async def studio_of(request: Request) -> Studio:
    """The studio that a request is for."""
    return request.app.state.studio


Here = Annotated[Studio, Depends(studio_of)]
"""The studio, as a parameter of a route."""
