"""Exceptions of Modiste, each with the exit code of the command line.

    ModisteError                  1   the base class: catch this to catch all of them
    ├── UsageError                2   the request is invalid
    │   ├── BadCode                   a code has the wrong length, or values that are not finite
    │   ├── BadCount                  k is below 1 or over the number of products
    │   ├── BadOption                 an option is outside its allowed values
    │   ├── UnknownProduct            the shop has no product with that id
    │   └── UnknownCategory           the source or shop has no product of that category
    ├── CatalogueError            3   the source of the catalogue cannot be used
    │   ├── SourceError               a source is missing, empty or of an unknown kind
    │   ├── PhotoError                a photo cannot be read or is rejected
    │   └── FetchError                a photo could not be fetched
    ├── ShopError                 4   the shop cannot answer
    │   ├── ShopNotFound              there is no shop in that directory or at that URL
    │   ├── ShopIncomplete            a stage is missing: the message names the command that builds it
    │   ├── SchemaError               a file was written by another version of Modiste, or is damaged
    │   ├── StaleError                a file was built from something that has changed since
    │   └── ShopBusy                  another process is writing to the shop, or wrote to it first
    ├── TrainingError             5   training cannot continue
    │   ├── NonFiniteLoss             the loss became infinite or not a number
    │   └── ResumeError               the checkpoint does not belong to this run
    ├── StorageError              6   the disk (full, read-only, no permission) or the object storage (unreachable, no
    │                                 such bucket, bad credentials) failed
    ├── MissingExtra              7   an optional dependency is not installed
    └── RayClusterError           8   the Ray cluster cannot be joined, has no workers, or lost them

Ctrl-C exits with 130. Every message names the input, the rule and the remedy.
"""

from __future__ import annotations

import re
from typing import Literal, cast, get_args

ErrorCode = Literal[
    "modiste_error",
    "usage_error",
    "bad_code",
    "bad_count",
    "bad_option",
    "unknown_product",
    "unknown_category",
    "catalogue_error",
    "source_error",
    "photo_error",
    "fetch_error",
    "shop_error",
    "shop_not_found",
    "shop_incomplete",
    "schema_error",
    "stale_error",
    "shop_busy",
    "training_error",
    "non_finite_loss",
    "resume_error",
    "storage_error",
    "missing_extra",
    "ray_cluster_error",
]
"""The stable code of each error class, see `error_code`."""

PhotoReason = Literal[
    "missing_photo",
    "unreadable",
    "not_a_photo",
    "truncated",
    "too_large",
    "too_slow",
    "off_background",
    "duplicate_photo",
]
"""Why a photo is rejected."""

PHOTO_REASONS: tuple[PhotoReason, ...] = get_args(PhotoReason)


class ModisteError(Exception):
    """Base class of all errors. `message` says what happened; `remedy` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())


class UsageError(ModisteError):
    """The request is invalid."""

    exit_code = 2


class BadCode(UsageError):
    """A code has the wrong length, or values that are not finite."""


class BadCount(UsageError):
    """k is below 1 or over the number of products that can be returned."""


class BadOption(UsageError):
    """An option is outside its allowed values."""


class UnknownProduct(UsageError):
    """The shop has no product with that id."""


class UnknownCategory(UsageError):
    """The source or shop has no product of that category."""


class CatalogueError(ModisteError):
    """The source of the catalogue cannot be used."""

    exit_code = 3


class SourceError(CatalogueError):
    """A source is missing, empty, or of an unknown kind."""


class PhotoError(CatalogueError):
    """A photo cannot be read or is rejected. `reason` is a stable word for `rejected.csv`."""

    def __init__(self, message: str, *, remedy: str = "", reason: PhotoReason = "unreadable") -> None:
        super().__init__(message, remedy=remedy)
        self.reason: PhotoReason = reason


class FetchError(CatalogueError):
    """A photo could not be fetched. `reason` is a stable word for `rejected.csv`."""

    def __init__(self, message: str, *, remedy: str = "", reason: str = "fetch_failed") -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class ShopError(ModisteError):
    """The shop cannot answer."""

    exit_code = 4


class ShopNotFound(ShopError):
    """There is no shop in that directory, or at that URL."""


class ShopIncomplete(ShopError):
    """A stage of the shop is missing; the remedy names the command that builds it."""


class SchemaError(ShopError):
    """A file was written by another version of Modiste, or is damaged."""


class StaleError(ShopError):
    """A file was built from something that has changed since."""


class ShopBusy(ShopError):
    """Another process is writing to the shop or deploying its shards, or wrote to it on object storage first."""


class TrainingError(ModisteError):
    """Training cannot continue."""

    exit_code = 5


class NonFiniteLoss(TrainingError):
    """The loss became infinite or not a number; the last good checkpoint is kept."""


class ResumeError(TrainingError):
    """The checkpoint does not belong to this run."""


class StorageError(ModisteError):
    """The disk or the object storage failed: full, read-only, unreachable, no permission, no such bucket."""

    exit_code = 6


def permission_denied(path: object) -> StorageError:
    """Return the error for a file or directory that this user may not read."""
    return StorageError(
        f"Reading {path} failed: Permission denied.",
        remedy="Give the user who runs this read permission on it and search permission on its directories.",
    )


class MissingExtra(ModisteError):
    """An optional dependency is not installed; the remedy is the pip command."""

    exit_code = 7


class RayClusterError(ModisteError):
    """The Ray cluster cannot be joined, has no workers, or lost them while they worked."""

    exit_code = 8


def error_code(error: type[ModisteError]) -> ErrorCode:
    """Return the stable code of an error class: its name in snake case, such as `bad_option`.

    The command line (`--json`) and the HTTP API report the same codes.
    """
    return cast("ErrorCode", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", error.__name__).lower())
