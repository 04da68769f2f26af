"""Memory-mapped `.npy` directories with checksums."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.storage.atomic import atomic_dir
from modiste.storage.checksums import file_crc32

# Directories up to this size are verified when they are opened: some hundredths of a second.
MAX_VERIFIED_BYTES = 64_000_000
# Exceptions that damaged JSON and damaged `.npy` files raise when they are read.
READ_ERRORS = (OSError, ValueError, KeyError, TypeError, EOFError, IndexError, SyntaxError, TokenError, OverflowError)


def save_arrays(
    directory: Path, metadata_file: str, metadata: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write arrays as `<name>.npy` and their metadata as JSON; they replace `directory` at once.

    Raises OSError if the disk refuses; `directory` is unchanged.
    """
    with atomic_dir(directory) as partial:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        header = dict(metadata) | {"written": uuid.uuid4().hex, "sums": _crc32_by_file(partial)}
        (partial / metadata_file).write_text(json.dumps(header) + "\n")


def open_arrays(
    directory: Path, metadata_file: str, expected: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Open the arrays that `save_arrays` wrote, memory-mapped.

    The arrays belong together even if another process replaces the directory meanwhile: the metadata is read before
    and after, and names the write that it belongs to.

    Returns the metadata, and the arrays `names`. Raises one of READ_ERRORS if there are no arrays, they are damaged, or
    the metadata does not have the `expected` entries.
    """
    text = (directory / metadata_file).read_text()
    metadata: Any = json.loads(text)
    if any(metadata[name] != value for name, value in expected.items()):
        raise ValueError(f"{directory} was built from something else")
    total = sum(path.stat().st_size for path in directory.glob("*.npy"))
    if total <= MAX_VERIFIED_BYTES and metadata["sums"] != _crc32_by_file(directory):
        raise ValueError(f"{directory} is damaged: a checksum does not match")
    # Copy on write: never written to, but kernels are compiled for writable arrays.
    arrays = {name: np.asarray(np.load(directory / f"{name}.npy", mmap_mode="c", allow_pickle=False)) for name in names}
    if (directory / metadata_file).read_text() != text:
        raise ValueError(f"{directory} was replaced while it was read")
    return metadata, arrays


def _crc32_by_file(directory: Path) -> dict[str, int]:
    return {path.name: file_crc32(path) for path in sorted(directory.glob("*.npy"))}
