"""Which products a question looks among, from what the caller names: row numbers, a mask, or clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadOption
from modiste.search.parts import Among, Parts, Rows


def looked_among(
    parts: Parts, clustered: bool, b: int, rows: ArrayLike | None, cluster: int | NDArray[np.intp] | None
) -> list[tuple[Rows, Among]]:
    """Which codes of a batch of `b` look among what: everyone, some rows, or each in its cluster.

    Raises:
        BadOption: rows that name no products, an unknown cluster, clusters of an index without any, or both.
    """
    everyone = np.arange(b)
    if cluster is not None:
        if rows is not None or not clustered:
            raise BadOption(
                "A cluster was asked for " + ("together with rows." if rows is not None else "of none."),
                remedy="Give either rows or a cluster, and clusters when making the index.",
            )
        own = np.asarray(cluster)
        if own.dtype.kind not in "iu" or own.shape not in ((), (b,)):
            raise BadOption(
                f"The cluster {cluster!r} is none.", remedy="Give a number, or one for each code."
            )
        own = np.broadcast_to(own, (b,))
        return [(np.flatnonzero(own == j), parts.inside(int(j))) for j in np.unique(own)]
    if rows is None:
        return [(everyone, parts.everyone())]
    try:
        chosen = np.asarray(rows)
    except ValueError:
        chosen = np.array([], object)
    if chosen.dtype == bool and chosen.shape == (parts.count,):
        return [(everyone, parts.of_mask(chosen))]
    sound = chosen.ndim == 1 and (chosen.dtype.kind in "iu" or (chosen.size == 0 and chosen.dtype != object))
    if not sound or (chosen.size and not (chosen.min() >= 0 and chosen.max() < parts.count)):
        raise BadOption(
            f"The rows {chosen.dtype} of shape {chosen.shape} do not name products.",
            remedy=f"Give row numbers from 0 to {parts.count - 1}, or a mask of {parts.count}.",
        )
    return [(everyone, parts.of_rows(chosen.astype(np.intp)))]
