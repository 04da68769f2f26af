"""Every error that Modiste raises on purpose, in one tree, each with the exit code that the command line gives.

    ModisteError                  1   the root: catch this to catch them all
    ├── UsageError                2   what was asked for cannot be done as asked
    │   ├── BadCode                   a code of the wrong length, or with values that are not finite
    │   ├── BadCount                  k below 1 or over the number of products
    │   ├── BadOption                 an option outside its allowed values
    │   ├── UnknownProduct            no product with that id
    │   └── UnknownCategory           no product of that category
    ├── CatalogueError            3   the catalogue's source cannot be used
    │   ├── SourceError               a source that is missing, empty or of no known kind
    │   ├── PhotoError                a photo that cannot be read or is refused
    │   └── FetchError                a photo that could not be fetched
    ├── ShopError                 4   the shop cannot answer
    │   ├── ShopNotFound              no shop in that directory, or at that URL
    │   ├── ShopIncomplete            a stage is missing: the message names the command that makes it
    │   ├── SchemaError               written by another version of Modiste, or damaged
    │   ├── StaleError                built from something that has changed since
    │   └── ShopBusy                  another process is writing to it, or was quicker to
    ├── TrainingError             5   training cannot go on
    │   ├── NonFiniteLoss             the loss became infinite or not a number
    │   └── ResumeError               the checkpoint does not belong to this run
    ├── StorageError              6   the disk refused: full, read-only, no permission; or object storage: away, no such
    │                                 bucket, no credentials
    ├── MissingExtra              7   an optional dependency is not installed
    └── ClusterError              8   the cluster cannot be joined, has no workers, or lost them

Ctrl-C exits with 130. Every message says what was given, what is allowed, and what to do.
"""

from __future__ import annotations


class ModisteError(Exception):
    """The root of the tree. `message` says what happened; `remedy` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())


class UsageError(ModisteError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class BadCode(UsageError):
    """A code has the wrong length, or values that are not finite."""


class BadCount(UsageError):
    """k is below 1 or over the number of products that can be answered."""


class BadOption(UsageError):
    """An option is outside its allowed values."""


class UnknownProduct(UsageError):
    """The shop has no product with that id."""


class UnknownCategory(UsageError):
    """The source or shop has no product of that category."""


class CatalogueError(ModisteError):
    """The catalogue's source cannot be used."""

    exit_code = 3


class SourceError(CatalogueError):
    """A source is missing, empty, or of no known kind."""


class PhotoError(CatalogueError):
    """A photo cannot be read or is refused. `reason` is a stable word for `rejected.csv`."""

    def __init__(self, message: str, *, remedy: str = "", reason: str = "unreadable") -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class FetchError(CatalogueError):
    """A photo could not be fetched. `reason` is a stable word for `rejected.csv`."""

    def __init__(self, message: str, *, remedy: str = "", reason: str = "fetch-failed") -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class ShopError(ModisteError):
    """The shop cannot answer."""

    exit_code = 4


class ShopNotFound(ShopError):
    """There is no shop in that directory, or at that URL."""


class ShopIncomplete(ShopError):
    """A stage of the shop is missing; the remedy names the command that makes it."""


class SchemaError(ShopError):
    """A file was written by another version of Modiste, or is damaged."""


class StaleError(ShopError):
    """Something was built from an upstream that has changed since."""


class ShopBusy(ShopError):
    """Another process is writing to the shop, or setting its shards up; or, on object storage, has written to it before
    this one could."""


class TrainingError(ModisteError):
    """Training cannot go on."""

    exit_code = 5


class NonFiniteLoss(TrainingError):
    """The loss became infinite or not a number; the last good checkpoint is kept."""


class ResumeError(TrainingError):
    """The checkpoint does not belong to this run."""


class StorageError(ModisteError):
    """The disk refused: full, read-only, or no permission; or object storage: it is away, has no such bucket, or knows
    nobody by these credentials."""

    exit_code = 6


def permission_denied(path: object) -> StorageError:
    """The error for a file or directory that this user may not read."""
    return StorageError(
        f"Reading {path} failed: Permission denied.",
        remedy="See that it may be read by the user who runs this, and its directories be searched.",
    )


class MissingExtra(ModisteError):
    """An optional dependency is not installed; the remedy is the pip command."""

    exit_code = 7


class ClusterError(ModisteError):
    """The cluster cannot be joined, has no workers, or lost them while they worked."""

    exit_code = 8
