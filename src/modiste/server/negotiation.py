"""Which of the offered types a client likes best, by its Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from modiste.server.problems import ProblemException


def negotiate(request: Request, media_types: Sequence[str]) -> str:
    """The best of `offered`; the first where all are as good. Raises Refusal (406) where none is accepted."""
    header = ",".join(request.headers.getlist("accept")) or "*/*"
    wishes = [_parse_media_range(each) for each in header.split(",") if each.strip()]
    best = max(media_types, key=lambda each: (_quality(each, wishes), -media_types.index(each)))
    if _quality(best, wishes) > 0:
        return best
    raise ProblemException(
        406,
        "not_acceptable",
        f"{header!r} accepts none of {', '.join(media_types)}.",
        remedy=f"Accept one of {', '.join(media_types)}.",
    )


def _parse_media_range(text: str) -> tuple[str, float]:
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


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """What the most specific range that an offer falls into says of it; 0 where it falls into none."""
    for fitting in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        found = [quality for kind, quality in ranges if kind == fitting]
        if found:
            return max(found)
    return 0.0
