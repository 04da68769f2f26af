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
from modiste.storage.atomic import barrier
from modiste.storage.locks import one_writer
from modiste.storage.refusals import disk_errors
from modiste.storage.remote.origin import Origin, origin_of

# Versions are kept this long for readers that opened the table before the last write.
KEEP = timedelta(hours=1)
CLOCKS = timedelta(hours=1)  # by which those of people are put back in autumn
EVER = timedelta(days=36500)
TIDY_AFTER = 20  # versions
IDS_PER_FILTER = 2000
_CONFLICT = re.compile(r"commit conflict|concurrent writers|incompatible transaction", re.IGNORECASE)
_NOT_FOUND = re.compile(r"was not found|Table not found|Not found: .*\.lance", re.IGNORECASE)


class Database:
    """The tables of one directory, or those that it is a copy of. Reading never waits for a writer."""

    def __init__(self, directory: Path) -> None:
        # Lance warns of every unindexed query; the variable must stand before its first import.
        os.environ.setdefault("LANCE_LOG", "error")
        import lancedb

        self.directory = directory
        self.origin: Origin | None = origin_of(directory)
        self.place = str(directory) if self.origin is None else self.origin.store
        with disk_errors(f"Opening {self.place}"):
            if self.origin is None:
                self._connection: Any = lancedb.connect(directory)
            else:
                from modiste.storage.object_store import lance_options

                self._connection = lancedb.connect(self.place, storage_options=lance_options(self.place))

    def open(self, name: str) -> Any | None:
        """The newest version of a table, or the one that a reader has of a table on object storage; None if there is
        none. Raises SchemaError if it is damaged."""
        try:
            with disk_errors(f"Opening table {name} in {self.place}"):
                return self._at_its_version(self._connection.open_table(name))
        except (OSError, RuntimeError, ValueError) as error:
            if (self.directory / f"{name}.lance" / "_versions").is_dir() or not _NOT_FOUND.search(str(error)):
                raise damaged(self.place, name, error) from error
            return None

    def _at_its_version(self, table: Any) -> Any:
        if self.origin is not None and self.origin.pinned:
            version = self.origin.version(table.name)
            try:
                table.checkout(version)
            except (OSError, RuntimeError, ValueError):
                if _has_version(table, version):  # it was the network: another version would be another shop
                    raise
        return table

    @contextmanager
    def writing(self, what: str) -> Generator[None]:
        """Write here: as the only writer, refusals as StorageError, on the disk for good at the end.

        Raises:
            ShopBusy: another writer is at work.
            StorageError: the disk refused; every table is as it was.
        """
        lasting = barrier(self.directory) if self.origin is None else self._alone()
        with one_writer(self.directory), disk_errors(what), lasting:
            yield

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Tables on object storage may have a writer elsewhere, whom Lance finds when it commits."""
        try:
            yield
        except (OSError, RuntimeError, ValueError) as error:
            if not _CONFLICT.search(str(error)):
                raise
            raise ShopBusy(
                f"Another process has written to {self.place} meanwhile.",
                remedy="Wait until it has ended, then run the same command again.",
            ) from error

    def create(self, name: str, schema: pa.Schema) -> Any:
        """Make an empty table, inside `writing`."""
        return self._connection.create_table(name, schema=schema)

    def replace(self, name: str, data: pa.Table) -> None:
        """Make `data` the table's whole content in one commit, inside `writing`."""
        table = self.open(name)
        if table is None:
            # A commit that was killed before its manifest leaves files without a table: they are overwritten.
            self._connection.create_table(name, data=data)
        else:
            table.add(data, mode="overwrite")
            self.tidy(table)

    def tidy(self, table: Any) -> None:
        """Merge small files and remove what versions older than KEEP alone still hold, inside `writing`.

        `delete_unverified` also removes what a killed writer left; that is safe because there is one writer at a time,
        which on object storage nobody can be sure of: what is left there goes after a week.
        The write before it is committed: when the disk has no room for tidying, that is left for another time.
        """
        with suppress(OSError, RuntimeError, ValueError):
            if self.origin is None:
                table.optimize(cleanup_older_than=KEEP, delete_unverified=True)
            else:
                table.optimize(cleanup_older_than=EVER)  # which may take long: then we ask what is old
                table.optimize(cleanup_older_than=self._kept_for(table))

    def _kept_for(self, table: Any) -> timedelta:
        """KEEP, or longer: readers of a shop on object storage have the version that its shop.json names."""
        held = None if self.origin is None else self.origin.version(table.name)
        for each in table.list_versions():
            if each["version"] == held:
                return max(KEEP, datetime.now() - each["timestamp"] + CLOCKS)
        return KEEP

    def version(self, name: str) -> int:
        """The newest version of a table that is there."""
        with disk_errors(f"Reading {self.place}"):
            return int(self._connection.open_table(name).version)

    def names(self) -> list[str]:
        """The tables, in order of name."""
        with disk_errors(f"Reading {self.place}"):
            return sorted(self._connection.list_tables().tables)

    def drop(self, name: str) -> None:
        """Remove a table, inside `writing`."""
        self._connection.drop_table(name)


def damaged(place: Path | str, name: str, error: Exception) -> SchemaError:
    """The error for a table that is there and cannot be read."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SchemaError(
        f"Table {name} in {place} cannot be read: {first}.",
        remedy="Restore the shop's store from a copy, or build the shop again in another directory.",
    )


def read(table: Any, columns: Sequence[str], where: str | None = None) -> pa.Table:
    """Columns of a table, all rows or those of an SQL filter.

    A reader that has held the table for longer than KEEP may find that a writer has tidied its version away; it is
    then read at its newest. Where its version is there, what went wrong is of the moment: it is asked once more.
    """
    with disk_errors(f"Reading table {table.name}"):
        try:
            return _query(table, columns, where)
        except (OSError, RuntimeError, ValueError):
            if not _has_version(table, table.version):
                table.checkout_latest()
            return _query(table, columns, where)


def _has_version(table: Any, version: int | None) -> bool:
    return any(each["version"] == version for each in table.list_versions())


def read_batches(table: Any, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Columns of a whole table, at most `rows` rows at a time, so that no table is too large for memory."""
    with disk_errors(f"Reading table {table.name}"):
        yield from table.search().select(list(columns)).to_batches(rows)


def _query(table: Any, columns: Sequence[str], where: str | None) -> pa.Table:
    asked = table.search().select(list(columns))
    return (asked if where is None else asked.where(where)).to_arrow()


def id_filters(ids: Sequence[str]) -> Iterator[str]:
    """SQL filters that together match `ids`, a bounded number of ids in each."""
    for start in range(0, len(ids), IDS_PER_FILTER):
        quoted = ("'" + id_.replace("'", "''") + "'" for id_ in ids[start : start + IDS_PER_FILTER])
        yield f"id IN ({', '.join(quoted)})"
