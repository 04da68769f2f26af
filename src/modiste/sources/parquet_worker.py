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
from modiste.isolation import command, environment

MEMORY = 3 * 2**30
"""Of addresses, which is what a system can limit."""

PIECE = 64 * 2**20
"""Bytes of what is sent at once, and of a row: as much as a file of a photo may have."""

FEWER = (32, 1)  # rows at once, where more were too many
SAID = 500  # characters of what is wrong
DAMAGED, TOO_LARGE = 3, 4  # how the process ends by itself, other than well
BYTES = b"bytes"


def unpacked(path: Path, rows: int, memory: int = MEMORY) -> Iterator[pa.RecordBatch | int]:
    """The rows of a Parquet file, at most so many and PIECE bytes at a time; instead of a row that is larger, its size
    in bytes.

    Raises SourceError where the file is damaged, or so much is packed in it that `memory` bytes do not suffice.
    """
    words = command("modiste.sources.parquet_worker", str(path.absolute()), str(rows), str(memory))
    done, whole = 0, False
    process: Any = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    try:
        with suppress(pa.ArrowInvalid, OSError):  # the process says why, when it ends
            reader: Any = pa.ipc.open_stream(process.stdout)
            while (found := _next(reader)) is not None:
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
    if code == DAMAGED or (code == 0 and not whole):
        raise SourceError(
            f"{path} is damaged after row {done}: {said[-SAID:]}.", remedy="Write or download it again."
        )
    if code:
        raise SourceError(
            f"{path} cannot be unpacked after row {done}: a part of it takes more than {memory / 2**30:.3g} GB of "
            f"memory, or breaks what reads it ({code}).",
            remedy="Write it again in smaller pages, or give the table as JSONL.",
        )


def _next(reader: Any) -> pa.RecordBatch | int | None:
    try:
        batch, said = reader.read_next_batch_with_custom_metadata()
    except StopIteration:
        return None
    return batch if said is None else int(said[BYTES])


def main() -> None:
    """Write the rows of a file to standard output, as Arrow's stream; or why not, to standard error."""
    path, rows, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pa.set_memory_pool(pa.system_memory_pool())  # the others take addresses long before they need them
    _limit(memory)
    sender = _Sender(path)
    try:
        for most in (rows, *FEWER):
            with suppress(MemoryError):
                sender.send(most)
                return
    except (OSError, ValueError, pa.ArrowException) as error:
        sys.stderr.write(str(error))
        sys.exit(DAMAGED)
    sys.exit(TOO_LARGE)


class _Sender:
    """Sends a file, and knows how far it has come, to go on from there with fewer rows at once."""

    def __init__(self, path: str) -> None:
        self._path, self._sent = path, 0
        self._writer: Any = None

    def send(self, rows: int) -> None:
        """Send what is left, so many rows at once. Raises MemoryError."""
        at = 0
        with pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(batch_size=rows, use_threads=False):
                begin = max(0, self._sent - at)
                at += batch.num_rows
                if begin < batch.num_rows:
                    self._put(_without_dictionaries(batch.slice(begin)))
            self._begin(file.schema_arrow)  # where there are no rows
        self._writer.close()
        sys.stdout.buffer.flush()

    def _begin(self, schema: pa.Schema) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_stream(sys.stdout.buffer, schema)

    def _put(self, batch: pa.RecordBatch) -> None:
        """Send a batch in pieces."""
        self._begin(batch.schema)
        size = sum(map(_size, batch.columns))
        if size > PIECE and batch.num_rows > 1:
            half = batch.num_rows // 2
            self._put(batch.slice(0, half))
            self._put(batch.slice(half))
        elif size > PIECE:
            self._writer.write_batch(batch.slice(0, 0), custom_metadata={BYTES: str(size)})
            self._sent += 1
        else:
            self._writer.write_batch(batch)
            self._sent += batch.num_rows


def _without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with values instead of numbers of values, which would be sent again and again."""
    columns: list[Any] = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _size(column: Any) -> int:
    """Bytes of a column, as Arrow has it or as a Python list of its elements, which of some types is much more."""
    kind = column.type
    size = max(int(column.nbytes), 8 * len(column))
    if pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner: Any = column.flatten()
        return size + sum(map(_size, inner if isinstance(inner, list) else [inner]))
    if pa.types.is_map(kind):
        return size + _size(column.keys) + _size(column.items)
    return size


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:
        return
    with suppress(OSError, ValueError):  # macOS refuses
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
