"""Sliders: the ones that matter first, in words, by every hand; where they lead; and the picture that follows them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.designing import dial, ready, row
from tests.browser.served import Server
from tests.browser.shops import BY_KL, IDLE

pytestmark = pytest.mark.browser

FIRST, SECOND = BY_KL[:2]


@pytest.fixture(scope="session")
def studio(edited_studio: Server) -> Server:
    """The shop whose sliders were edited by hand."""
    return edited_studio


def test_the_sliders_that_matter_come_first_and_the_idle_ones_are_folded_away(page: Any) -> None:
    ready(page)
    order = page.eval_on_selector_all(
        "#controls [data-latent]", "rows => rows.map(row => +row.dataset.latent)"
    )
    assert tuple(order) == (*BY_KL, *sorted(IDLE, key=lambda each: -each)), "by KL, the idle ones last"
    for latent in BY_KL:
        assert dial(page, latent).is_visible()
    for latent in IDLE:
        assert not dial(page, latent).is_visible()
        assert row(page, latent).evaluate("row => row.closest('#more') !== null")
    page.locator("#more summary").click()
    for latent in IDLE:
        assert dial(page, latent).is_visible()
