"""Parquet is unpacked in a process of its own: a file of a few kilobytes may hold more than there is memory.

`unpacked` starts that process and takes rows from it, in pieces of bounded size. What they unpack to is known only once
they are, and what a file says of its own sizes is only what it says; so the process has a bound on its memory, where
the system can set one (Linux), and where that does not suffice it takes fewer rows at a time.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modiste.errors import SourceError
from modiste.isolation import clean_environment, worker_command

MEMORY_BYTES = 3 * 2**30
"""Of addresses, which is what a system can limit."""

MAX_BATCH_BYTES = 64 * 2**20
"""Bytes of what is sent at once, and of a row: as much as a file of a photo may have."""

RETRY_BATCH_ROWS = (32, 1)  # rows at once, where more were too many
MAX_MESSAGE_CHARS = 500  # characters of what is wrong
EXIT_DAMAGED, EXIT_TOO_LARGE = 3, 4  # how the process ends by itself, other than well
SIZE_KEY = b"bytes"


def read_batches(
    path: Path, batch_rows: int, memory_bytes: int = MEMORY_BYTES
) -> Iterator[pa.RecordBatch | int]:
    """The rows of a Parquet file, at most so many and PIECE bytes at a time; instead of a row that is larger, its size
    in bytes.

    Raises SourceError where the file is damaged, or so much is packed in it that `memory` bytes do not suffice.
    """
    words = worker_command(
        "modiste.sources.parquet_worker", str(path.absolute()), str(batch_rows), str(memory_bytes)
    )
    done, whole = 0, False
    process: Any = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    )
    try:
        with suppress(pa.ArrowInvalid, OSError):  # the process says why, when it ends
            reader: Any = pa.ipc.open_stream(process.stdout)
            while (found := _read_batch(reader)) is not None:
                yield found
                done += 1 if isinstance(found, int) else found.num_rows
            whole = True
        process.stdout.close()
        said = process.stderr.read().decode("utf-8", "replace").strip()
        code = process.wait()
    finally:
        process.kill()
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        process.wait()
    if code == EXIT_DAMAGED or (code == 0 and not whole):
        raise SourceError(
            f"{path} is damaged after row {done}: {said[-MAX_MESSAGE_CHARS:]}.",
            remedy="Write or download it again.",
        )
    if code:
        raise SourceError(
            f"{path} cannot be unpacked after row {done}: a part of it takes more than {memory_bytes / 2**30:.3g} GB "
            "of "
            f"memory, or breaks what reads it ({code}).",
            remedy="Write it again in smaller pages, or give the table as JSONL.",
        )


def _read_batch(reader: Any) -> pa.RecordBatch | int | None:
    try:
        batch, said = reader.read_next_batch_with_custom_metadata()
    except StopIteration:
        return None
    return batch if said is None else int(said[SIZE_KEY])


def main() -> None:
    """Write the rows of a file to standard output, as Arrow's stream; or why not, to standard error."""
    path, rows, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pa.set_memory_pool(pa.system_memory_pool())  # the others take addresses long before they need them
    _limit_memory(memory)
    sender = _BatchWriter(path)
    try:
        for most in (rows, *RETRY_BATCH_ROWS):
            with suppress(MemoryError):
                sender.write(most)
                return
    except (OSError, ValueError, pa.ArrowException) as error:
        sys.stderr.write(str(error))
        sys.exit(EXIT_DAMAGED)
    sys.exit(EXIT_TOO_LARGE)


class _BatchWriter:
    """Sends a file, and knows how far it has come, to go on from there with fewer rows at once."""

    def __init__(self, path: str) -> None:
        self._path, self._rows_written = path, 0
        self._writer: Any = None

    def write(self, batch_rows: int) -> None:
        """Send what is left, so many rows at once. Raises MemoryError."""
        at = 0
        with pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(batch_size=batch_rows, use_threads=False):
                begin = max(0, self._rows_written - at)
                at += batch.num_rows
                if begin < batch.num_rows:
                    self._write_batch(_decode_dictionaries(batch.slice(begin)))
            self._open_stream(file.schema_arrow)  # where there are no rows
        self._writer.close()
        sys.stdout.buffer.flush()

    def _open_stream(self, schema: pa.Schema) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_stream(sys.stdout.buffer, schema)

    def _write_batch(self, batch: pa.RecordBatch) -> None:
        """Send a batch in pieces."""
        self._open_stream(batch.schema)
        size = sum(map(_column_bytes, batch.columns))
        if size > MAX_BATCH_BYTES and batch.num_rows > 1:
            half = batch.num_rows // 2
            self._write_batch(batch.slice(0, half))
            self._write_batch(batch.slice(half))
        elif size > MAX_BATCH_BYTES:
            self._writer.write_batch(batch.slice(0, 0), custom_metadata={SIZE_KEY: str(size)})
            self._rows_written += 1
        else:
            self._writer.write_batch(batch)
            self._rows_written += batch.num_rows


def _decode_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with values instead of numbers of values, which would be sent again and again."""
    columns: list[Any] = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _column_bytes(column: Any) -> int:
    """Bytes of a column, as Arrow has it or as a Python list of its elements, which of some types is much more."""
    kind = column.type
    size = max(int(column.nbytes), 8 * len(column))
    if pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner: Any = column.flatten()
        return size + sum(map(_column_bytes, inner if isinstance(inner, list) else [inner]))
    if pa.types.is_map(kind):
        return size + _column_bytes(column.keys) + _column_bytes(column.items)
    return size


def _limit_memory(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:
        return
    with suppress(OSError, ValueError):  # macOS refuses
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
