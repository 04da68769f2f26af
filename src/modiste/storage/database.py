"""LanceDB: connect, read columns, and write durably with one writer at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from modiste.errors import ModisteError, SchemaError, ShopBusy
from modiste.storage.atomic import fsync_tree
from modiste.storage.error_translation import storage_errors
from modiste.storage.locks import write_lock
from modiste.storage.remote.origin import Origin, read_origin

# Old versions are kept this long for readers that opened the table before the last write.
VERSION_RETENTION = timedelta(hours=1)
# Of a table that is replaced as a whole: every version is as large as the table.
REPLACED_RETENTION = timedelta(minutes=1)
DST_SHIFT = timedelta(hours=1)  # LanceDB's timestamps are local time, which is put back in autumn
FOREVER = timedelta(days=36500)
MAX_IDS_PER_FILTER = 2000
_CONFLICT = re.compile(r"commit conflict|concurrent writers|incompatible transaction", re.IGNORECASE)
_NOT_FOUND = re.compile(r"was not found|Table not found|Not found: .*\.lance", re.IGNORECASE)


class Database:
    """The tables in a directory, or those on object storage that the directory is a copy of.

    Readers never wait for a writer.
    """

    def __init__(self, directory: Path) -> None:
        # Lance warns about every unindexed query; the variable must be set before its first import.
        os.environ.setdefault("LANCE_LOG", "error")
        import lancedb

        self.directory = directory
        self.origin: Origin | None = read_origin(directory)
        self.location = str(directory) if self.origin is None else self.origin.store_url
        with storage_errors(f"Opening {self.location}"):
            if self.origin is None:
                self._connection: Any = lancedb.connect(directory)
            else:
                from modiste.storage.object_store import lance_options

                self._connection = lancedb.connect(self.location, storage_options=lance_options(self.location))

    def open_table(self, name: str) -> Any | None:
        """Open the newest version of a table, or, in a reader's copy, the pinned one; None if there is no such table.

        Raises SchemaError if the table is damaged, and StorageError if the disk or the object store refuses.
        """
        try:
            with storage_errors(f"Opening table {name} in {self.location}"):
                return self._at_pinned_version(self._connection.open_table(name))
        except (OSError, RuntimeError, ValueError) as error:
            if (self.directory / f"{name}.lance" / "_versions").is_dir() or not _NOT_FOUND.search(str(error)):
                raise damaged_table_error(self.location, name, error) from error
            return None

    def _at_pinned_version(self, table: Any) -> Any:
        if self.origin is not None and self.origin.pinned:
            version = self.origin.table_version(table.name)
            try:
                table.checkout(version)
            except (OSError, RuntimeError, ValueError):
                if has_version(table, version):  # a network error: another version would be another shop
                    raise
        return table

    @contextmanager
    def table_errors(self, name: str) -> Generator[None]:
        """Convert errors of reading an existing table into SchemaError."""
        try:
            yield
        except ModisteError:
            raise
        except Exception as error:  # Lance panics on some damage: an exception without a public class
            raise damaged_table_error(self.location, name, error) from error

    @contextmanager
    def exclusive_write(self, operation: str) -> Generator[None]:
        """Write as the only writer; at the end of the block, all changes are flushed to the disk.

        Error messages begin with `operation`. Raises ShopBusy if another writer is at work, and StorageError if the
        disk refuses; every table is unchanged.
        """
        commit = fsync_tree(self.directory) if self.origin is None else self._raise_busy_on_conflict()
        with write_lock(self.directory), storage_errors(operation), commit:
            yield

    @contextmanager
    def _raise_busy_on_conflict(self) -> Generator[None]:
        """Convert a commit conflict into ShopBusy: tables on object storage may have a writer on another machine."""
        try:
            yield
        except (OSError, RuntimeError, ValueError) as error:
            if not _CONFLICT.search(str(error)):
                raise
            raise ShopBusy(
                f"Another process has written to {self.location} in the meantime.",
                remedy="Wait until it has ended, then run the same command again.",
            ) from error

    def create_table(self, name: str, schema: pa.Schema) -> Any:
        """Create an empty table, inside `exclusive_write`."""
        return self._connection.create_table(name, schema=schema)

    def replace_table(self, name: str, data: pa.Table) -> None:
        """Replace the whole content of a table in one commit, inside `exclusive_write`."""
        table = self.open_table(name)
        if table is None:
            # A commit that was killed before its manifest leaves files without a table: they are overwritten.
            self._connection.create_table(name, data=data)
        else:
            table.add(data, mode="overwrite")
            self.compact(table, REPLACED_RETENTION)

    def compact(self, table: Any, retention: timedelta | None = None) -> None:
        """Merge small files and remove versions older than `retention`, inside `exclusive_write`.

        None is VERSION_RETENTION.

        `delete_unverified` also removes what a killed writer left. That is safe in a directory, where there is one
        writer at a time; on object storage Lance removes such files after a week. Errors are ignored: the write before
        is committed, and if the disk has no room, a later write compacts.
        """
        with suppress(OSError, RuntimeError, ValueError):
            if self.origin is None:
                table.optimize(cleanup_older_than=retention or VERSION_RETENTION, delete_unverified=True)
            else:
                table.optimize(cleanup_older_than=FOREVER)  # may take long, so compute the retention afterwards
                table.optimize(cleanup_older_than=self._retention(table))

    def _retention(self, table: Any) -> timedelta:
        """Return VERSION_RETENTION, or longer, to keep the version that the shop.json on object storage names."""
        version = None if self.origin is None else self.origin.table_version(table.name)
        for record in table.list_versions():
            if record["version"] == version:
                return max(VERSION_RETENTION, datetime.now() - record["timestamp"] + DST_SHIFT)
        return VERSION_RETENTION

    def table_version(self, name: str) -> int:
        """Return the newest version of an existing table."""
        with storage_errors(f"Reading {self.location}"):
            return int(self._connection.open_table(name).version)

    def table_names(self) -> list[str]:
        """Return the names of all tables, sorted."""
        with storage_errors(f"Reading {self.location}"):
            return sorted(self._connection.list_tables().tables)


def damaged_table_error(location: Path | str, name: str, error: Exception) -> SchemaError:
    """Return the error for a table that exists and cannot be read."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SchemaError(
        f"Table {name} in {location} cannot be read: {reason}.",
        remedy="Restore the shop's store from a copy, or build the shop again in another directory.",
    )


def read_columns(table: Any, columns: Sequence[str], where: str | None = None) -> pa.Table:
    """Read columns of a table: all rows, or those that match an SQL filter.

    If the table has been open for longer than VERSION_RETENTION, a writer may have removed its version; the newest is
    read then. If its version still exists, the error was temporary, and the query is repeated once.
    """
    with storage_errors(f"Reading table {table.name}"):
        try:
            return _query(table, columns, where)
        except (OSError, RuntimeError, ValueError):
            if not has_version(table, table.version):
                table.checkout_latest()
            return _query(table, columns, where)


def has_version(table: Any, version: int | None) -> bool:
    """Return whether a version of a table still exists."""
    return any(record["version"] == version for record in table.list_versions())


def read_batches(table: Any, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield columns of a whole table, at most `rows` rows at a time, to bound memory."""
    with storage_errors(f"Reading table {table.name}"):
        yield from table.search().select(list(columns)).to_batches(rows)


def _query(table: Any, columns: Sequence[str], where: str | None) -> pa.Table:
    query = table.search().select(list(columns))
    return (query if where is None else query.where(where)).to_arrow()


def id_filters(ids: Sequence[str]) -> Iterator[str]:
    """Yield SQL filters that together match `ids`, at most MAX_IDS_PER_FILTER ids in each."""
    for start in range(0, len(ids), MAX_IDS_PER_FILTER):
        quoted = ("'" + id_.replace("'", "''") + "'" for id_ in ids[start : start + MAX_IDS_PER_FILTER])
        yield f"id IN ({', '.join(quoted)})"
