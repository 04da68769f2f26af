"""Keeping up: after a change to the shop, what follows from it is made anew beside the visitors, and then served."""

from __future__ import annotations

import asyncio
from typing import Any

from modiste.errors import ModisteError
from modiste.shop.changing import refresh_shop
from modiste.studio.logs import log
from modiste.studio.switching import Front


class Keeper:
    """Brings the shop up to date, one pass at a time; whatever is changed meanwhile is taken up by the next."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._task: asyncio.Task[None] | None = None
        self._wanted = False
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

    async def end(self) -> None:
        """Wait for nothing more: what is cut off goes on when the shop is next brought up to date."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._wanted:
            self._wanted, self.error = False, ""
            shop = self._front.now.shop
            try:
                await asyncio.to_thread(
                    refresh_shop, shop.path, threads=self._front.settings.threads, on_progress=self._note
                )
                version = (await self._front.switch()).version
                log.info("serving version %s", version)
            except ModisteError as error:
                # Visitors keep what they have; whoever administers the shop is told.
                self.error = str(error)
                log.error("still serving version %s: %s", self._front.now.version, error)
        self.stage = ""

    def _note(self, event: dict[str, Any]) -> None:
        self.stage = str(event.get("stage", ""))
