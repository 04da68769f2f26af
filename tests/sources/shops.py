"""Small catalogues on disk in each source layout, and the marker for real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modiste.images.photo import to_jpeg

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"

real_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"real photos are absent: no folder {PHOTOS}")

HEADER = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"
ROWS = [
    "11,Men,Footwear,Shoes,Casual Shoes,Black,Summer,2012,Casual,Plain Black Shoe\n",
    "12,Women,Accessories,Bags,Handbags,Red,NA,2011,NA,Red Bag\n",
    "13,Women,Footwear,Sandal,Heels,Red,Winter,,Party,\n",
]


def jpeg(shade: int) -> bytes:
    """Return a plain photo, a different one for each shade."""
    return to_jpeg(np.full((16, 12, 3), shade % 256, np.uint8))


def kaggle_folder(folder: Path, rows: list[str] = ROWS, photos: tuple[str, ...] = ("11", "12", "13")) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "styles.csv").write_text(HEADER + "".join(rows), "utf-8")
    for shade, name in enumerate(photos):
        (folder / "images" / f"{name}.jpg").write_bytes(jpeg(shade))
    return folder


def photo_files(folder: Path, *names: str) -> Path:
    for shade, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(shade))
    return folder
