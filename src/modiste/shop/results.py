"""Matches and recommendations, which a notebook displays as pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.images.photo import decode_jpeg

Attributes = dict[str, Any]
JpegLoader = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Match:
    """One product of a result.

    For the method "likelihood", `score` is log q(code | product), and higher is nearer; for the others it is the
    distance, and lower is nearer.
    """

    id: str
    category: str
    cluster: int
    score: float
    attributes: Attributes
    _load_jpeg: JpegLoader = field(repr=False, compare=False)

    def jpeg(self) -> bytes:
        """Return the product's photo as stored, a JPEG of the shop's frame."""
        return self._load_jpeg(self.id)

    def photo(self) -> NDArray[np.uint8]:
        """Return the product's photo, uint8 `(H, W, 3)`."""
        return decode_jpeg(self.jpeg())

    def to_dict(self) -> dict[str, Any]:
        """Return the match as the command line prints it."""
        return {
            "id": self.id,
            "category": self.category,
            "cluster": self.cluster,
            "score": self.score,
            "attributes": self.attributes,
        }

    def html(self) -> str:
        """Return an HTML figure with photo, id, category and score; the attributes are its tooltip."""
        source = "data:image/jpeg;base64," + base64.b64encode(self.jpeg()).decode("ascii")
        title = html.escape(", ".join(f"{key}: {value}" for key, value in self.attributes.items()))
        return (
            '<figure style="display:inline-block;margin:4px;text-align:center;vertical-align:top">'
            f'<img src="{source}" alt="{html.escape(self.id)}" title="{title}" style="height:140px">'
            f'<figcaption style="font-size:12px">{html.escape(self.id)}<br>{html.escape(self.category)}'
            f" · {self.score:.3g}</figcaption></figure>"
        )

    def _repr_html_(self) -> str:
        return self.html()


class Matches(list[Match]):
    """The matches of one code, best first; a notebook displays the list as a row of pictures."""

    def html(self) -> str:
        """Return the matches as a row of HTML figures."""
        return "<div>" + "".join(match.html() for match in self) + "</div>"

    def _repr_html_(self) -> str:
        return self.html()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What goes with a code from one other cluster, best first; `label` is the cluster's name.

    `category` is the most frequent category of the cluster. By category, `label` is the category as well, and `cluster`
    is the cluster with most of its products.
    """

    cluster: int
    label: str
    matches: Matches
    category: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the recommendation as the command line prints it."""
        return {"cluster": self.cluster, "label": self.label, "results": [match.to_dict() for match in self.matches]}

    def html(self) -> str:
        """Return the label and the matches as a row of HTML figures."""
        return f"<div><b>{html.escape(self.label)}</b>{self.matches.html()}</div>"

    def _repr_html_(self) -> str:
        return self.html()


class Recommendations(list[Recommendation]):
    """What goes with one code, one entry per other cluster; a notebook displays the list as rows of pictures."""

    def _repr_html_(self) -> str:
        return "".join(recommendation.html() for recommendation in self)
