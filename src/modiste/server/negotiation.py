"""Which of the offered types a client likes best, by its Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from modiste.server.problems import Refusal


def negotiate(request: Request, offered: Sequence[str]) -> str:
    """The best of `offered`; the first where all are as good. Raises Refusal (406) where none is accepted."""
    header = ",".join(request.headers.getlist("accept")) or "*/*"
    wishes = [_wish(each) for each in header.split(",") if each.strip()]
    best = max(offered, key=lambda each: (_quality(each, wishes), -offered.index(each)))
    if _quality(best, wishes) > 0:
        return best
    raise Refusal(
        406,
        "not_acceptable",
        f"{header!r} accepts none of {', '.join(offered)}.",
        remedy=f"Accept one of {', '.join(offered)}.",
    )


def _wish(text: str) -> tuple[str, float]:
    """A range such as image/*, and how much it is liked, 0 to 1."""
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                return kind, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def _quality(offer: str, wishes: Sequence[tuple[str, float]]) -> float:
    """What the most specific range that an offer falls into says of it; 0 where it falls into none."""
    for fitting in (offer, offer.partition("/")[0] + "/*", "*/*"):
        found = [quality for kind, quality in wishes if kind == fitting]
        if found:
            return max(found)
    return 0.0
