"""What an index was built from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from modiste.storage.checksums import file_sha256
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore


def index_fingerprint(files: ShopPaths, manifest: Manifest, store: ProductStore, model_id: str) -> str:
    """Names what an index of the shop is made of, read from no table: it is stale when this has changed."""
    encoded = hash_json(model_id, store.hash(), store.encodings_stamp(model_id), manifest.tau)
    return hash_json(encoded, hash_file(files.clusters(model_id)))


def hash_json(*said: Any) -> str:
    """A hash of what can be said in JSON."""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """A hash of what a file holds; "" where there is none."""
    try:
        return file_sha256(path)
    except OSError:
        return ""
