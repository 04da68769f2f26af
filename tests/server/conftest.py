"""The application on the shared small shop, and a test client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from modiste.images.photo import to_jpeg
from modiste.server.app import create_app
from modiste.server.settings import Settings
from modiste.shop.shop import Shop

ALLOWED = "https://shop.example"
# Tests ask more than any visitor.
UNLIMITED: dict[str, float] = dict.fromkeys(
    ("frames_per_second", "queries_per_second", "uploads_per_minute", "others_per_second"), 1e6
)


@pytest.fixture(scope="session")
def shop(built: Path) -> Shop:
    """The open small shop."""
    return Shop.open(built, need="map")


@pytest.fixture(scope="session")
def app(shop: Shop) -> FastAPI:
    """The application that serves the small shop."""
    return create_app(shop, Settings(allow_embed=(ALLOWED,), **UNLIMITED))


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the running application. A failure of the server is a response, as over a network."""
    with TestClient(app, raise_server_exceptions=False) as test_client:
        yield test_client


@pytest.fixture(scope="session")
def photo(shop: Shop) -> bytes:
    """A photo to upload: the first product's, as a JPEG."""
    return to_jpeg(shop.photo(shop.catalogue.ids[0]))
