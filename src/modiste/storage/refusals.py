"""Errors of the disk and of object storage as StorageError, with a remedy."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager

from modiste.errors import ModisteError, StorageError

_OS_ERROR_NUMBER = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")  # as Rust shows and debugs it


@contextmanager
def storage_errors(operation: str) -> Generator[None]:
    """Turn the refusals of the disk, or of object storage, into StorageError, naming `what` was being done.

    Other errors pass. Lance raises them as OSError, RuntimeError or ValueError, with "(os error N)", or what the store
    has said, somewhere in a long message.
    """
    try:
        yield
    except ModisteError:
        raise
    except Exception as error:
        if (told := explain_object_store_error(error)) is not None:
            raise StorageError(f"{operation} failed: {told[0]}.", remedy=told[1]) from error
        if not isinstance(error, (OSError, RuntimeError, ValueError)):
            raise
        number = _error_number(error)
        if number is None:
            raise
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = "Free some space and run the same command again; nothing was changed."
        else:
            remedy = "See that the directory may be read and written, then run the same command again."
        raise StorageError(f"{operation} failed: {os.strerror(number)}.", remedy=remedy) from error


def _error_number(error: Exception) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _OS_ERROR_NUMBER.search(str(error))
    return None if found is None else int(found[1] or found[2])


HELP_HINT = "docs/how-to/object-storage.md lists what is needed."
_OBJECT_STORE_ERROR = re.compile(
    r"Generic \S+ error|LanceError\(IO\)|error sending request|store: \"(S3|GCS)\"|NoSuchBucket"
)
_KNOWN_ERRORS: tuple[tuple[str, str, str], ...] = (
    (
        r"NoSuchBucket|specified bucket does not exist",
        "there is no such bucket",
        "Make it with the tools of your store, or correct the URL.",
    ),
    (
        r"169\.254\.169\.254|latest/api/token|latest/meta-data|metadata\.google\.internal|CredentialsNotLoaded|"
        r"no providers in chain|credential provider was not enabled|MissingCredentials|Failed to get AWS credentials",
        "no credentials were found",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for gs://, GOOGLE_APPLICATION_CREDENTIALS), "
        f"or give this machine a role. {HELP_HINT}",
    ),
    (
        r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|"
        r"status code: 40[13]|Forbidden|Unauthorized|lacked the valid authentication|necessary privileges",
        "the store refused these credentials",
        f"Check them, and that they may list, read, write and delete there. {HELP_HINT}",
    ),
    (
        r"error sending request|ConnectError|tcp connect error|dns error|timed out|TimedOut|"
        r"[Cc]onnection (refused|reset|closed)|error decoding response",
        "the store cannot be reached",
        "See that it runs, and that AWS_ENDPOINT_URL is its address where it is not Amazon's; "
        "then run the same command again.",
    ),
)


def explain_object_store_error(error: Exception) -> tuple[str, str] | None:
    """What happened and what to do, where `error` is one of object storage; None where it is not."""
    text = str(error)
    if not (type(error).__module__.startswith("obstore") or _OBJECT_STORE_ERROR.search(text)):
        return None
    for pattern, says, remedy in _KNOWN_ERRORS:
        if re.search(pattern, text):
            return says, remedy
    return None if not type(error).__module__.startswith("obstore") else (_first_line(text), HELP_HINT)


def _first_line(text: str) -> str:
    return (text.splitlines() or ["it did not say why"])[0][:300].rstrip(".")
