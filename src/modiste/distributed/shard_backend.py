"""Sharded: one version of a shop that lies in shards, asked as a shop is: scattered to all of them, merged exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import ClusterError, UnknownProduct
from modiste.latent.clusters import Clusters
from modiste.search.sharding import shard_of
from modiste.shop.backend import Hit, Look, merged_hits
from modiste.shop.cluster_transfer import Ways
from modiste.shop.filters import Columns, Where
from modiste.shop.hubness import measure_of, usual
from modiste.shop.query import Counsel, Finder
from modiste.shop.summary import Probes, Tally, Whole

DEADLINE = 20.0  # seconds for all tries of one look
PATIENCE = 2.0  # seconds for one try
# Seconds for one that may have crowding to be measured first, by what is not usual, and for all of its tries.
MEASURING = 120.0
AT_ONCE = 8  # looks in one try: it must not take long because many were asked for
PAUSE = 0.02  # seconds before the next try
APIECE = 0.001  # the least that a try is given, in seconds: its answer may be there already


class Gone(ClusterError):  # noqa: N818  # as in errors: named for what happened
    """This version of the shards is not there any more, or does not answer."""


class Sharded(Counsel):
    """One version of a shop, in shards. Every answer is of that version, or there is none."""

    def __init__(self, whole: Whole, handles: Sequence[Any], deadline: float = DEADLINE) -> None:
        """`handles` are those of the shards, in order, as Ray Serve gives them; `deadline` is of one look."""
        self.whole = whole
        self.replaced = False  # by newer shards: a try that fails is then not repeated here
        self._handles = list(handles)
        self._deadline = deadline

    @property
    def version(self) -> str:
        """Names the version."""
        return self.whole.version

    @property
    def tau(self) -> float:
        return self.whole.tau

    @property
    def latent(self) -> int:
        return self.whole.latent

    @property
    def count(self) -> int:
        return self.whole.count

    @cached_property
    def clusters(self) -> Clusters:
        return self.whole.clusters

    @cached_property
    def tally(self) -> Tally:
        return self.whole.tally

    @cached_property
    def finder(self) -> Finder:
        ways = Ways(self.whole.clusters, lambda: self.whole.spread)
        return Finder(self.clusters, self.tally, ways, self.look, _no_photo)

    @property
    def thresholds(self) -> dict[str, list[float]]:
        return self.whole.thresholds

    @property
    def loneliness(self) -> list[float]:
        return self.whole.loneliness

    @cached_property
    def probes(self) -> Probes:
        return self.whole.probes

    def check_where(self, where: Where) -> None:
        """Raise BadOption where a filter asks for what there is not."""
        Columns((), (), self.whole.kinds).matching(where)

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """The fixed-epsilon code of a product, `(n,)`, from the shard that has it. Raises UnknownProduct, Gone."""
        own = shard_of(product_id, len(self._handles))
        found = self._asked([own], "code_of", product_id, PATIENCE)[0]
        if found is None:
            raise UnknownProduct(
                f"The shop has no product {product_id!r}.",
                remedy=f"Its ids look like {', '.join(self.probes.ids[:3])}.",
            )
        return found

    def look(self, looks: Sequence[Look]) -> list[list[Hit]]:
        """For each look its hits, best first: those of all shards, merged. Raises Gone."""
        if not looks:
            return []
        parts = [looks[start : start + AT_ONCE] for start in range(0, len(looks), AT_ONCE)]
        return [hits for part in parts for hits in self._look(part)]

    def _look(self, looks: Sequence[Look]) -> list[list[Hit]]:
        known, everyone = usual(self.tau), range(len(self._handles))
        slow = any(
            look.less_of is not None and measure_of(look.method, look.metric, look.tau) not in known
            for look in looks
        )
        if slow:  # what may take long is asked of those only that answer at all
            self._asked(everyone, "here", None, PATIENCE)
        found = self._asked(everyone, "look", list(looks), MEASURING if slow else PATIENCE)
        return [merged_hits([each[i] for each in found], look.k) for i, look in enumerate(looks)]

    def about(self) -> list[dict[str, Any]]:
        """For each shard what one replica says of itself."""
        handles = self._handles
        return [handle.about.remote().result(timeout_s=DEADLINE) for handle in handles]

    def _asked(self, shards: Sequence[int], name: str, given: Any, patience: float) -> list[Any]:
        """What each of some shards answers; from another replica where one dies or takes too long."""
        until = time.monotonic() + max(self._deadline, patience)

        def begin(shard: int) -> Any:
            return getattr(self._handles[shard], name).remote(given)

        begun = [(shard, _tried(lambda shard=shard: begin(shard))) for shard in shards]
        tried_at = time.monotonic()
        return [self._answer(shard, begin, first, tried_at, until, patience) for shard, first in begun]

    def _answer(
        self,
        shard: int,
        begin: Callable[[int], Any],
        response: Any,
        tried_at: float,
        until: float,
        patience: float,
    ) -> Any:
        while True:
            if not isinstance(response, Exception):
                left = max(tried_at + patience - time.monotonic(), APIECE)
                response = _tried(lambda response=response, left=left: _within(response, left))
            if not isinstance(response, Exception):
                version, answer = response
                if version == self.version:
                    return answer
                response = Gone(f"Shard {shard} is of version {version}, not {self.version}.")
            if self.replaced or time.monotonic() > until:
                raise Gone(
                    f"Shard {shard} does not answer: {type(response).__name__}.",
                    remedy="See `ray status`, and Ray's logs; `modiste shards` sets the shards up anew.",
                ) from response
            time.sleep(PAUSE)
            tried_at = time.monotonic()
            response = _tried(lambda: begin(shard))


def _within(response: Any, seconds: float) -> Any:
    try:
        return response.result(timeout_s=seconds)
    except TimeoutError:
        response.cancel()
        raise


def _tried(work: Callable[[], Any]) -> Any:
    """What some work returns, or what it raised: whatever it is that Ray raises, another replica is tried."""
    try:
        return work()
    except Exception as error:
        return error


def _no_photo(product_id: str) -> bytes:
    raise ClusterError(
        f"Shards have no photos, such as that of {product_id}.", remedy="Ask the shop for them."
    )
