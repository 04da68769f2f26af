"""Write to the served shop, bring it up to date beside the visitors, and then serve it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from modiste.errors import ModisteError, ShopBusy, ShopError
from modiste.pipeline.update import next_step, run_step
from modiste.server.log_config import logger
from modiste.server.versions import VersionManager

T = TypeVar("T")
RETRY_SECONDS = 0.2  # seconds until a write is tried again while something else holds the shop


class Refresher:
    """Writes to the shop, and brings it up to date, a stage at a time; whatever is changed meanwhile comes first."""

    def __init__(self, front: VersionManager) -> None:
        self._versions = front
        self._task: asyncio.Task[None] | None = None
        self._requested = False
        self._has_written = False
        self._waiting_writers = 0
        self.stage = ""
        self.error = ""

    @property
    def is_refreshing(self) -> bool:
        """Whether something is being made anew."""
        return self._task is not None and not self._task.done()

    def request_refresh(self) -> None:
        """Have the shop on disk made whole, and served."""
        self._requested = True
        if not self.is_refreshing:
            self._task = asyncio.create_task(self._run())

    async def write(self, work: Callable[[], T]) -> T:
        """What `work`, which writes to the shop, returns; then the shop is brought up to date. It waits for the stage
        that is under way."""
        self._waiting_writers += 1
        try:
            made = await self._retry_while_busy(work)
        finally:
            self._waiting_writers -= 1
        self._has_written = True
        self.request_refresh()
        return made

    async def stop(self) -> None:
        """Wait for nothing more: what is cut off goes on when the shop is next brought up to date."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._requested:
            self._requested, self.error = False, ""
            try:
                if not await self._rebuild_stale_stages():
                    await self._versions.switch()
                logger.info("serving version %s", self._versions.current.version)
            except ModisteError as error:
                # Visitors keep what they have; whoever administers the shop is told.
                self.error = str(error)
                logger.error("still serving version %s: %s", self._versions.current.version, error)
            except (
                Exception
            ) as error:  # a fault of ours: it is told too, and does not end the keeping silently
                self.error = f"{type(error).__name__}: {error}"
                logger.exception("still serving version %s", self._versions.current.version)
        self.stage = ""

    async def _rebuild_stale_stages(self) -> bool:
        """Bring the shop on disk up to date; returns whether what is served now is the result.

        An update is served as soon as it is done: the stages that are rebuilt after it may take minutes.
        """
        path, threads, served = self._versions.current.shop.path, self._versions.settings.threads, False
        while True:
            while self._waiting_writers:
                await asyncio.sleep(RETRY_SECONDS / 4)
            step = "update" if self._has_written else await asyncio.to_thread(next_step, path)
            self._has_written = False
            if step is None:
                return served
            self.stage, served = step, False
            await self._retry_while_busy(partial(run_step, path, step, threads=threads))
            if step == "update":
                with suppress(ShopError):  # a stage is still to be rebuilt before the shop can be opened
                    await self._versions.switch()
                    served = True

    async def _retry_while_busy(self, work: Callable[[], T]) -> T:
        """What `work` returns, tried again while another stage, here or of another process, holds the shop."""
        while True:
            try:
                return await asyncio.to_thread(work)
            except ShopBusy:
                await asyncio.sleep(RETRY_SECONDS)
