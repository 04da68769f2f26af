"""Write the seeds of the fuzz targets: generated photos, tables and addresses, and the JSON of the golden shop.

`python -m tests.fuzz.write_seeds` writes them again. It keeps `found-*`, which earlier fuzzing has found.
"""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from modiste.server.design_codec import to_base64url
from modiste.storage.backup import restore_shop
from modiste.storage.json_files import verify_checksum
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from tests.fuzz.targets import LONGEST, SEEDS, TABLES
from tests.small import SMALL
from tests.zoo import Bad, zoo

CSV = b'id,file_name,category,price,Base Colour\na,0.jpg,bags,1.5,red\nb,0.jpg,shoes,,"dark, blue"\n'
JSONL = b'{"id": "a", "file_name": "0.jpg", "x": [1, {"y": null}]}\n{"id": 7, "url": "http://h/p.jpg", "n": 1e3}\n'


def generate_seeds() -> dict[tuple[str, str], bytes]:
    """Return the seeds, by target and name."""
    found = {("photo", _name(name)): bad.data for name, bad in zoo().items() if _is_seed(bad)}
    parquet = io.BytesIO()
    pq.write_table(pa.table({"id": ["a", "b"], "file_name": ["0.jpg"] * 2, "price": [1.5, None]}), parquet)
    tables = {".csv": CSV, ".tsv": CSV.replace(b",", b"\t"), ".jsonl": JSONL, ".parquet": parquet.getvalue()}
    for number, kind in enumerate(TABLES):
        found["table", kind[1:]] = bytes([number]) + tables[kind]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "shop"
        restore_shop(SMALL, root)
        files, model = ShopPaths(root), Manifest.load(root).model or ""
        for target, path in {
            "manifest": files.manifest,
            "model": files.model(model) / "config.json",
            "clusters": files.clusters(model),
            "sliders": files.sliders(model),
            "map": files.map(model),
        }.items():
            found[target, f"{path.stem}.json"] = json.dumps(verify_checksum(json.loads(path.read_text()))).encode()
    found["code", "middle"] = b"f39_f39_f38"
    found["frame", "middle"] = f"render_id={model}&design={to_base64url(bytes([128]) * 4)}".encode()
    found["frame", "other shop"] = b"render_id=0123456789ab&design=%41%42&render_id=2"
    return found


def _is_seed(bad: Bad) -> bool:
    return len(bad.data) < LONGEST // 2 and bad.reason != "not_a_photo"


def _name(name: str) -> str:
    return name.replace(" ", "-").replace("'", "").replace(",", "")


def main() -> None:
    """Write all seeds."""
    for (target, name), data in generate_seeds().items():
        folder = SEEDS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _name(name)).write_bytes(data)


if __name__ == "__main__":
    main()
