"""Fingerprints of what an index is built from."""

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
    """Return a hash of what an index is built from, without reading tables. An index with another hash is stale."""
    encoded = hash_json(model_id, store.hash(), store.encodings_stamp(model_id), manifest.tau)
    return hash_json(encoded, hash_file(files.clusters(model_id)))


def hash_json(*values: Any) -> str:
    """Return the SHA-256 of JSON values."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; "" if the file is missing."""
    try:
        return file_sha256(path)
    except OSError:
        return ""
