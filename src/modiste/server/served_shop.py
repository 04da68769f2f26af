"""Studio: one version of a shop as it is served, the threads that work for it, and the pictures it remembers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import cached_property
from typing import ParamSpec

import numpy as np
from numpy.typing import NDArray

from modiste.errors import ModisteError
from modiste.images.photo import Photo, to_jpeg
from modiste.search.index import warm as warm_search
from modiste.server.byte_cache import ByteCache
from modiste.server.http_cache import Prepared
from modiste.server.metrics import Metrics
from modiste.server.photo_worker.client import Reader
from modiste.server.settings import Settings
from modiste.server.thread_pools import Crew
from modiste.shop.products import title_of
from modiste.shop.shop import Shop

P = ParamSpec("P")

QUALITY = 88  # of a drawn frame: 5 kB at 180 x 240, and no artefact one could see in what a model draws


class Crews:
    """The threads of a server, whatever it serves.

    Drawing and asking have threads of their own, so that a search does not hold up a slider; photos and animations,
    which take long and much memory, are done one at a time. Nothing that computes runs on the event loop. Photos are
    read in a process of their own.
    """

    def __init__(self, settings: Settings, waiting: int = 0) -> None:
        """With so many threads more to ask as are `waiting` for others to look for products."""
        self.drawing = Crew("draw", settings.threads, settings.queue)
        self.asking = Crew("ask", settings.threads + waiting, settings.queue)
        self.slow = Crew("slow", 1, settings.queue)
        self.all = (self.drawing, self.asking, self.slow)
        self.reader = Reader()

    def close(self) -> None:
        """Let the threads end what they are at, and the process that reads photos."""
        for crew in self.all:
            crew.close()
        self.reader.close()


class Studio:
    """One version of a shop, served: with the pictures of it that are remembered."""

    def __init__(self, shop: Shop, settings: Settings, crews: Crews, metrics: Metrics) -> None:
        self.shop = shop
        self.crews = crews
        self.metrics = metrics
        self.frames = ByteCache(settings.frame_memory)
        self.photos = ByteCache(settings.photo_memory)
        self.drawn, self.asked, self.slowly = crews.drawing.do, crews.asking.do, crews.slow.do
        self._prepared: dict[str, Prepared] = {}

    def warm(self) -> None:
        """Load all that the first visitor would wait for, and let the counters say what is served."""
        shop = self.shop
        self.crews.reader.start()
        warm_search()
        code = shop.code_of(shop.catalogue.ids[0])
        self.draw(code)
        shop.similar(code, 1)
        with suppress(ModisteError):  # a photo that cannot be read is for whoever asks for it to hear of
            shop.jpeg(shop.catalogue.ids[0])
        shop.typicality(code)
        shop.position_of(code)
        _ = (
            self.version,
            self.catalogue,
            self.reach,
            shop.sliders,
            shop.map,
            shop.facets,
            shop.category_of_cluster,
            self.ranges,
            self.photo_tags,
        )

    @cached_property
    def version(self) -> str:
        """Names what is served: the model, the catalogue and its clusters. Another of these is another version."""
        return self.shop.version

    @cached_property
    def catalogue(self) -> str:
        """The hash of the catalogue that the model, the encodings and the index were checked against when loaded."""
        return self.shop.store.hash()

    @cached_property
    def ranges(self) -> NDArray[np.float32]:
        """Minimum and maximum of every latent, float32 `(n, 2)`."""
        return self.shop.sliders.ranges

    @cached_property
    def reach(self) -> NDArray[np.float32]:
        """The least and the greatest value that each latent of a code may have, float32 `(n, 2)`."""
        return self.shop.reach

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

    @cached_property
    def texts(self) -> list[str]:
        """What a search looks in, by row: id, title, category and every attribute, for comparing without case."""
        return [
            "\n".join(
                (id_, category, title_of(id_, held), *(str(value) for value in held.values()))
            ).casefold()
            for id_, category, held in self.shop.catalogue.each()
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
        """What `make` makes of the shop, made once. Raises Refusal (503) when too many wait."""
        found = self._prepared.get(name)
        return await self.asked(self.prepare, name, make) if found is None else found

    def prepare(self, name: str, make: Callable[[Shop], Prepared]) -> Prepared:
        """Have what `make` makes of the shop kept under a name, from now on."""
        found = self._prepared[name] = make(self.shop)
        return found

    def draw(self, code: NDArray[np.float32], write: Callable[[Photo], bytes] | None = None) -> bytes:
        """The product that a code draws, as a JPEG or as `write` writes it. Raises BadCode."""
        began = time.perf_counter()
        photo = self.shop.decode(code)
        picture = write(photo) if write is not None else to_jpeg(photo, QUALITY)
        self.metrics.decoding.observe(time.perf_counter() - began)
        return picture


def base64_of(data: bytes) -> str:
    """Bytes as text, for JSON."""
    return base64.b64encode(data).decode("ascii")
