from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modiste.errors import SchemaError
from modiste.storage.database import Database
from modiste.storage.product_store import PRODUCTS_TABLE, SCHEMA, SCHEMA_KEY, ProductStore
from modiste.storage.schema_version import check_schema_version


@pytest.mark.parametrize("version", [1, 2, 3])
def test_versions_up_to_the_newest_are_accepted(version: int) -> None:
    assert check_schema_version(version, 3, "It") == version


@pytest.mark.parametrize("version", [4, 0, -1, True, "1", 1.0, None, [1]])
def test_newer_and_invalid_versions_are_rejected(version: Any) -> None:
    with pytest.raises(SchemaError, match=r"^It has schema .*3"):
        check_schema_version(version, 3, "It")


def test_store_of_a_newer_version_is_rejected(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with database.exclusive_write("a test"):
        database.create_table(PRODUCTS_TABLE, SCHEMA.with_metadata({SCHEMA_KEY: b"2"}))
    with pytest.raises(SchemaError, match=r"schema 2; this Modiste reads up to 1.*newer"):
        ProductStore.open(tmp_path)
