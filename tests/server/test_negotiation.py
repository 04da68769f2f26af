"""The Accept header determines the media type."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from modiste.server.negotiation import negotiate
from modiste.server.problems import ProblemException

OFFERED = ("image/jpeg", "image/png", "image/webp")


def request_accepting(*accept: str) -> Request:
    return Request({"type": "http", "headers": [(b"accept", each.encode()) for each in accept]})


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ((), "image/jpeg"),
        (("*/*",), "image/jpeg"),
        (("image/*",), "image/jpeg"),
        (("IMAGE/PNG",), "image/png"),
        (("image/png, image/webp",), "image/png"),
        (("image/png;q=0.5, image/webp;q=0.9",), "image/webp"),
        (("image/avif,image/webp,image/apng,image/*,*/*;q=0.8",), "image/jpeg"),
        (("*/*, image/jpeg;q=0.1",), "image/png"),
        (("image/jpeg;q=0, */*;q=0.1",), "image/png"),
        (("text/html", "image/webp"), "image/webp"),
        (("image/webp;q=7",), "image/webp"),
    ],
)
def test_preferred_media_type_is_chosen(accept: tuple[str, ...], wanted: str) -> None:
    assert negotiate(request_accepting(*accept), OFFERED) == wanted


@pytest.mark.parametrize("accept", ["text/html", "image/jpeg;q=0", "image/png;q=much", "image", "*/*;q=0"])
def test_unacceptable_media_types_raise_406(accept: str) -> None:
    with pytest.raises(ProblemException) as raised:
        negotiate(request_accepting(accept), OFFERED)
    assert (raised.value.status_code, raised.value.code) == (406, "not_acceptable")
    assert "image/webp" in raised.value.remedy
