"""Writes to the served shop, followed by its update in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from modiste.errors import ModisteError, ShopBusy, ShopError
from modiste.pipeline.product_changes import Step, next_step, run_step
from modiste.server.log_config import logger
from modiste.server.versions import VersionManager

T = TypeVar("T")
RETRY_SECONDS = 0.2  # between attempts to write while another process writes to the shop


class Refresher:
    """Writes to the shop, then brings it up to date, a stage at a time. Further writes come first."""

    def __init__(self, versions: VersionManager) -> None:
        self._versions = versions
        self._task: asyncio.Task[None] | None = None
        self._requested = False
        self._has_written = False
        self._waiting_writers = 0
        self.stage: Step | None = None
        self.error = ""

    @property
    def is_refreshing(self) -> bool:
        """The state of the background update: True while it runs."""
        return self._task is not None and not self._task.done()

    def request_refresh(self) -> None:
        """Bring the shop on disk up to date in the background, and serve it."""
        self._requested = True
        if not self.is_refreshing:
            self._task = asyncio.create_task(self._run())

    async def write(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, which writes to the shop; then update it. Waits for the stage under way."""
        self._waiting_writers += 1
        try:
            result = await self._retry_while_busy(work)
        finally:
            self._waiting_writers -= 1
        self._has_written = True
        self.request_refresh()
        return result

    async def stop(self) -> None:
        """Cancel the update. The next start continues it."""
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
                # Visitors keep the current version; /v1/admin reports the error.
                self.error = str(error)
                logger.error("still serving version %s: %s", self._versions.current.version, error)
            except Exception as error:  # a bug: report it too, and keep the task alive
                self.error = f"{type(error).__name__}: {error}"
                logger.exception("still serving version %s", self._versions.current.version)
        self.stage = None

    async def _rebuild_stale_stages(self) -> bool:
        """Bring the shop on disk up to date. Return whether the result is served already.

        An update is served as soon as it is done: rebuilding the stages after it may take minutes.
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
                with suppress(ShopError):  # the shop cannot be opened before a stage is rebuilt
                    await self._versions.switch()
                    served = True

    async def _retry_while_busy(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; retry it while another stage, here or in another process, locks the shop."""
        while True:
            try:
                return await asyncio.to_thread(work)
            except ShopBusy:
                await asyncio.sleep(RETRY_SECONDS)
