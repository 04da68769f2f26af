"""Parquet decoding in a memory-limited subprocess: a file of a few kilobytes may decompress to more than the memory.

`read_batches` starts the subprocess and yields batches of bounded size. The decompressed size is known only after
decompression, since the sizes in the file may be wrong; so the subprocess limits its own memory, where the system can
(Linux), and reads fewer rows at a time if that is not enough.
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
from modiste.isolation import clean_environment, limit_resources, worker_command

MEMORY_BYTES = 3 * 2**30
"""Of address space, which is what a system can limit."""

MAX_BATCH_BYTES = 64 * 2**20
"""Limit for one message of the subprocess, and for one row: the same as for a photo's file."""

RETRY_BATCH_ROWS = (32, 1)  # rows at once, after the first size failed
MAX_MESSAGE_CHARS = 500  # of the subprocess's error
EXIT_DAMAGED, EXIT_TOO_LARGE = 3, 4  # exit codes of the subprocess
SIZE_KEY = b"bytes"


def read_batches(path: Path, batch_rows: int, memory_bytes: int = MEMORY_BYTES) -> Iterator[pa.RecordBatch | int]:
    """Yield the rows of a Parquet file in batches of at most `batch_rows` rows and MAX_BATCH_BYTES.

    In place of a row that is larger, its size in bytes is yielded. Raises SourceError if the file is damaged, or needs
    more than `memory_bytes`.
    """
    command = worker_command("modiste.sources.parquet_worker", str(path.absolute()), str(batch_rows), str(memory_bytes))
    rows_read, complete = 0, False
    process: Any = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()
    )
    try:
        with suppress(pa.ArrowInvalid, OSError):  # the subprocess gives the reason when it exits
            reader: Any = pa.ipc.open_stream(process.stdout)
            while (batch := _read_batch(reader)) is not None:
                yield batch
                rows_read += 1 if isinstance(batch, int) else batch.num_rows
            complete = True
        process.stdout.close()
        message = process.stderr.read().decode("utf-8", "replace").strip()
        code = process.wait()
    finally:
        process.kill()
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        process.wait()
    if code == EXIT_DAMAGED or (code == 0 and not complete):
        raise SourceError(
            f"{path} is damaged after row {rows_read}: {message[-MAX_MESSAGE_CHARS:]}.",
            remedy="Write or download it again.",
        )
    if code:
        raise SourceError(
            f"{path} cannot be read after row {rows_read}: a part of it needs more than "
            f"{memory_bytes / 2**30:.3g} GB of memory, or crashes the reader (exit code {code}).",
            remedy="Write it again with smaller pages, or give the table as JSONL.",
        )


def _read_batch(reader: Any) -> pa.RecordBatch | int | None:
    try:
        batch, metadata = reader.read_next_batch_with_custom_metadata()
    except StopIteration:
        return None
    return batch if metadata is None else int(metadata[SIZE_KEY])


def main() -> None:
    """Write the rows of a file to standard output as an Arrow stream, or the error to standard error."""
    path, rows, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    # The other pools reserve address space long before they need it.
    pa.set_memory_pool(pa.system_memory_pool())
    limit_resources(RLIMIT_AS=memory, RLIMIT_CORE=0)
    writer = _BatchWriter(path)
    try:
        for batch_size in (rows, *RETRY_BATCH_ROWS):
            with suppress(MemoryError):
                writer.write(batch_size)
                return
    except (OSError, ValueError, pa.ArrowException) as error:
        sys.stderr.write(str(error))
        sys.exit(EXIT_DAMAGED)
    sys.exit(EXIT_TOO_LARGE)


class _BatchWriter:
    """Writer of a file's rows that remembers its position, to continue from there with fewer rows at once."""

    def __init__(self, path: str) -> None:
        self._path, self._rows_written = path, 0
        self._writer: Any = None

    def write(self, batch_rows: int) -> None:
        """Write the remaining rows, so many at once. Raises MemoryError if the memory limit is reached."""
        position = 0
        with pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(batch_size=batch_rows, use_threads=False):
                start = max(0, self._rows_written - position)
                position += batch.num_rows
                if start < batch.num_rows:
                    self._write_batch(_decode_dictionaries(batch.slice(start)))
            self._open_stream(file.schema_arrow)  # for a file without rows
        self._writer.close()
        sys.stdout.buffer.flush()

    def _open_stream(self, schema: pa.Schema) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_stream(sys.stdout.buffer, schema)

    def _write_batch(self, batch: pa.RecordBatch) -> None:
        """Write a batch, split to bounded size."""
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
    """Replace dictionary indices by values; a dictionary would be sent again with every batch."""
    columns: list[Any] = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _column_bytes(column: Any) -> int:
    """Return the bytes of a column in Arrow or as a Python list of its elements, which for some types is much more."""
    kind = column.type
    size = max(int(column.nbytes), 8 * len(column))
    if pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner: Any = column.flatten()
        return size + sum(map(_column_bytes, inner if isinstance(inner, list) else [inner]))
    if pa.types.is_map(kind):
        return size + _column_bytes(column.keys) + _column_bytes(column.items)
    return size


if __name__ == "__main__":
    main()
