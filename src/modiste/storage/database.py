"""LanceDB behind one door: connecting quietly, reading columns, and writing so that what was acknowledged lasts."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from modiste.errors import SchemaError, ShopBusy
from modiste.storage.atomic import fsync_tree
from modiste.storage.locks import write_lock
from modiste.storage.refusals import storage_errors
from modiste.storage.remote.origin import Origin, read_origin

# Versions are kept this long for readers that opened the table before the last write.
VERSION_RETENTION = timedelta(hours=1)
DST_SHIFT = timedelta(hours=1)  # by which those of people are put back in autumn
FOREVER = timedelta(days=36500)
MAX_IDS_PER_FILTER = 2000
_CONFLICT = re.compile(r"commit conflict|concurrent writers|incompatible transaction", re.IGNORECASE)
_NOT_FOUND = re.compile(r"was not found|Table not found|Not found: .*\.lance", re.IGNORECASE)


class Database:
    """The tables of one directory, or those that it is a copy of. Reading never waits for a writer."""

    def __init__(self, directory: Path) -> None:
        # Lance warns of every unindexed query; the variable must stand before its first import.
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

                self._connection = lancedb.connect(
                    self.location, storage_options=lance_options(self.location)
                )

    def open_table(self, name: str) -> Any | None:
        """The newest version of a table, or the one that a reader has of a table on object storage; None if there is
        none. Raises SchemaError if it is damaged."""
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
                if has_version(table, version):  # it was the network: another version would be another shop
                    raise
        return table

    @contextmanager
    def exclusive_write(self, operation: str) -> Generator[None]:
        """Write here: as the only writer, refusals as StorageError, on the disk for good at the end.

        Raises:
            ShopBusy: another writer is at work.
            StorageError: the disk refused; every table is as it was.
        """
        lasting = fsync_tree(self.directory) if self.origin is None else self._raise_busy_on_conflict()
        with write_lock(self.directory), storage_errors(operation), lasting:
            yield

    @contextmanager
    def _raise_busy_on_conflict(self) -> Generator[None]:
        """Tables on object storage may have a writer elsewhere, whom Lance finds when it commits."""
        try:
            yield
        except (OSError, RuntimeError, ValueError) as error:
            if not _CONFLICT.search(str(error)):
                raise
            raise ShopBusy(
                f"Another process has written to {self.location} meanwhile.",
                remedy="Wait until it has ended, then run the same command again.",
            ) from error

    def create_table(self, name: str, schema: pa.Schema) -> Any:
        """Make an empty table, inside `writing`."""
        return self._connection.create_table(name, schema=schema)

    def replace_table(self, name: str, data: pa.Table) -> None:
        """Make `data` the table's whole content in one commit, inside `writing`."""
        table = self.open_table(name)
        if table is None:
            # A commit that was killed before its manifest leaves files without a table: they are overwritten.
            self._connection.create_table(name, data=data)
        else:
            table.add(data, mode="overwrite")
            self.compact(table)

    def compact(self, table: Any) -> None:
        """Merge small files and remove what versions older than KEEP alone still hold, inside `writing`.

        `delete_unverified` also removes what a killed writer left; that is safe because there is one writer at a time,
        which on object storage nobody can be sure of: what is left there goes after a week.
        The write before it is committed: when the disk has no room for tidying, that is left for another time.
        """
        with suppress(OSError, RuntimeError, ValueError):
            if self.origin is None:
                table.optimize(cleanup_older_than=VERSION_RETENTION, delete_unverified=True)
            else:
                table.optimize(cleanup_older_than=FOREVER)  # which may take long: then we ask what is old
                table.optimize(cleanup_older_than=self._retention(table))

    def _retention(self, table: Any) -> timedelta:
        """KEEP, or longer: readers of a shop on object storage have the version that its shop.json names."""
        held = None if self.origin is None else self.origin.table_version(table.name)
        for each in table.list_versions():
            if each["version"] == held:
                return max(VERSION_RETENTION, datetime.now() - each["timestamp"] + DST_SHIFT)
        return VERSION_RETENTION

    def table_version(self, name: str) -> int:
        """The newest version of a table that is there."""
        with storage_errors(f"Reading {self.location}"):
            return int(self._connection.open_table(name).version)

    def table_names(self) -> list[str]:
        """The tables, in order of name."""
        with storage_errors(f"Reading {self.location}"):
            return sorted(self._connection.list_tables().tables)

    def drop_table(self, name: str) -> None:
        """Remove a table, inside `writing`."""
        self._connection.drop_table(name)


def damaged_table_error(location: Path | str, name: str, error: Exception) -> SchemaError:
    """The error for a table that is there and cannot be read."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SchemaError(
        f"Table {name} in {location} cannot be read: {first}.",
        remedy="Restore the shop's store from a copy, or build the shop again in another directory.",
    )


def read_columns(table: Any, columns: Sequence[str], where: str | None = None) -> pa.Table:
    """Columns of a table, all rows or those of an SQL filter.

    A reader that has held the table for longer than KEEP may find that a writer has tidied its version away; it is
    then read at its newest. Where its version is there, what went wrong is of the moment: it is asked once more.
    """
    with storage_errors(f"Reading table {table.name}"):
        try:
            return _query(table, columns, where)
        except (OSError, RuntimeError, ValueError):
            if not has_version(table, table.version):
                table.checkout_latest()
            return _query(table, columns, where)


def has_version(table: Any, version: int | None) -> bool:
    """Return whether a version of a table is still there."""
    return any(each["version"] == version for each in table.list_versions())


def read_batches(table: Any, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Columns of a whole table, at most `rows` rows at a time, so that no table is too large for memory."""
    with storage_errors(f"Reading table {table.name}"):
        yield from table.search().select(list(columns)).to_batches(rows)


def _query(table: Any, columns: Sequence[str], where: str | None) -> pa.Table:
    asked = table.search().select(list(columns))
    return (asked if where is None else asked.where(where)).to_arrow()


def id_filters(ids: Sequence[str]) -> Iterator[str]:
    """SQL filters that together match `ids`, a bounded number of ids in each."""
    for start in range(0, len(ids), MAX_IDS_PER_FILTER):
        quoted = ("'" + id_.replace("'", "''") + "'" for id_ in ids[start : start + MAX_IDS_PER_FILTER])
        yield f"id IN ({', '.join(quoted)})"
