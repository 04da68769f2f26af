"""Arrays in the files of a directory: written whole or not at all, mapped instead of read, proven where cheap."""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How much of a directory is read when it is opened, to verify it: some hundredths of a second.
MAX_VERIFIED_BYTES = 64_000_000
PARTIAL_SUFFIX = ".partial"
RENAME_ATTEMPTS = 20
# What reading JSON and `.npy` raises where bytes are not what they should be.
READ_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    IndexError,
    SyntaxError,
    TokenError,
    OverflowError,
)


def save_arrays(
    directory: Path, metadata_file: str, metadata: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write arrays as `<name>.npy` in `directory`, and what is `about` them in `label`. Raises OSError."""
    partial = Path(
        tempfile.mkdtemp(prefix=f".{directory.name}.", suffix=PARTIAL_SUFFIX, dir=directory.parent)
    )
    try:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        said = dict(metadata) | {"written": uuid.uuid4().hex, "sums": _crc32_by_file(partial)}
        (partial / metadata_file).write_text(json.dumps(said) + "\n")
        partial.chmod(0o755)
        # Of two that save at once either may win: each removes what is there until its own name is free.
        for _ in range(RENAME_ATTEMPTS):
            shutil.rmtree(directory, ignore_errors=True)
            with suppress(OSError):
                partial.rename(directory)
                return
        partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def open_arrays(
    directory: Path, metadata_file: str, expected: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `save_arrays` left, if it says all that is `about` it: its own words, and its arrays, mapped.

    They are whole too where another process replaces them meanwhile: the label is read before and after, and says
    which writing it belongs to.

    Raises:
        One of UNREADABLE: there are none, or they are damaged or of something else.
    """
    text = (directory / metadata_file).read_text()
    said: Any = json.loads(text)
    if any(said[name] != value for name, value in expected.items()):
        raise ValueError(f"{directory} is of something else")
    small = sum(path.stat().st_size for path in directory.glob("*.npy")) <= MAX_VERIFIED_BYTES
    if small and said["sums"] != _crc32_by_file(directory):
        raise ValueError(f"{directory} is not as it was written")
    # Copy on write: never written to, but kernels are compiled for arrays that may be.
    arrays = {
        name: np.asarray(np.load(directory / f"{name}.npy", mmap_mode="c", allow_pickle=False))
        for name in names
    }
    if (directory / metadata_file).read_text() != text:
        raise ValueError(f"{directory} was replaced meanwhile")
    return said, arrays


def _crc32_by_file(directory: Path) -> dict[str, int]:
    """The CRC-32 of each array's file."""
    return {path.name: zlib.crc32(path.read_bytes()) for path in sorted(directory.glob("*.npy"))}
