"""Content negotiation by the Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from modiste.server.problems import ProblemException


def negotiate(request: Request, media_types: Sequence[str]) -> str:
    """Return the best of `media_types`; the first of several equally good ones. Raises ProblemException (406)."""
    header = ",".join(request.headers.getlist("accept")) or "*/*"
    ranges = [_parse_media_range(each) for each in header.split(",") if each.strip()]
    best = max(media_types, key=lambda each: (_quality(each, ranges), -media_types.index(each)))
    if _quality(best, ranges) > 0:
        return best
    raise ProblemException(
        406,
        "not_acceptable",
        f"{header!r} accepts none of {', '.join(media_types)}.",
        remedy=f"Accept one of {', '.join(media_types)}.",
    )


def _parse_media_range(text: str) -> tuple[str, float]:
    """Return a range such as `image/*`, and its quality from 0 to 1."""
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
    """Return the quality that the most specific matching range gives a media type; 0 if none matches."""
    for pattern in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        qualities = [quality for kind, quality in ranges if kind == pattern]
        if qualities:
            return max(qualities)
    return 0.0
