"""Keeping up: after a change to the shop, what follows from it is made anew beside the visitors, and then served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from modiste.errors import ModisteError, ShopBusy
from modiste.pipeline.update import remake, stale_stage
from modiste.server.log_config import log
from modiste.server.versions import Front

T = TypeVar("T")
PAUSE = 0.2  # seconds until a write is tried again while something else holds the shop


class Keeper:
    """Writes to the shop, and brings it up to date, a stage at a time; whatever is changed meanwhile comes first."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._task: asyncio.Task[None] | None = None
        self._wanted = False
        self._writers = 0
        self.stage = ""
        self.error = ""

    @property
    def at_work(self) -> bool:
        """Whether something is being made anew."""
        return self._task is not None and not self._task.done()

    def want(self) -> None:
        """Have the shop on disk made whole, and served."""
        self._wanted = True
        if not self.at_work:
            self._task = asyncio.create_task(self._work())

    async def write(self, work: Callable[[], T]) -> T:
        """What `work`, which writes to the shop, returns; then the shop is brought up to date. It waits for the stage
        that is under way."""
        self._writers += 1
        try:
            made = await self._patiently(work)
        finally:
            self._writers -= 1
        self.want()
        return made

    async def end(self) -> None:
        """Wait for nothing more: what is cut off goes on when the shop is next brought up to date."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._wanted:
            self._wanted, self.error = False, ""
            try:
                await self._refresh()
                version = (await self._front.switch()).version
                log.info("serving version %s", version)
            except ModisteError as error:
                # Visitors keep what they have; whoever administers the shop is told.
                self.error = str(error)
                log.error("still serving version %s: %s", self._front.now.version, error)
            except (
                Exception
            ) as error:  # a fault of ours: it is told too, and does not end the keeping silently
                self.error = f"{type(error).__name__}: {error}"
                log.exception("still serving version %s", self._front.now.version)
        self.stage = ""

    async def _refresh(self) -> None:
        path, threads = self._front.now.shop.path, self._front.settings.threads
        while True:
            while self._writers:
                await asyncio.sleep(PAUSE / 4)
            stage = await asyncio.to_thread(stale_stage, path)
            if stage is None:
                return
            self.stage = stage
            await self._patiently(partial(remake, path, stage, threads=threads))

    async def _patiently(self, work: Callable[[], T]) -> T:
        """What `work` returns, tried again while another stage, here or of another process, holds the shop."""
        while True:
            try:
                return await asyncio.to_thread(work)
            except ShopBusy:
                await asyncio.sleep(PAUSE)
