"""Convert errors of the disk and of object storage into StorageError with a remedy."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager

from modiste.errors import ModisteError, StorageError

_OS_ERROR_NUMBER = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")  # as Rust displays and debugs it
HELP_HINT = "docs/how-to/object-storage.md lists what object storage needs."
_OBJECT_STORE_ERROR = re.compile(
    r"Generic \S+ error|LanceError\(IO\)|error sending request|store: \"(S3|GCS)\"|NoSuchBucket"
)
_KNOWN_ERRORS: tuple[tuple[str, str, str], ...] = (
    (
        r"NoSuchBucket|specified bucket does not exist",
        "there is no such bucket",
        "Create it with your provider's tools, or correct the URL.",
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
        "the store rejected these credentials",
        f"Check the credentials, and that they allow list, read, write and delete there. {HELP_HINT}",
    ),
    (
        r"error sending request|ConnectError|tcp connect error|dns error|timed out|TimedOut|"
        r"[Cc]onnection (refused|reset|closed)|error decoding response",
        "the store cannot be reached",
        "Check that it runs, and, if it is not Amazon's, that AWS_ENDPOINT_URL is its address; "
        "then run the same command again.",
    ),
)


@contextmanager
def storage_errors(operation: str) -> Generator[None]:
    """Convert errors of the disk or of object storage into StorageError.

    Other errors pass. Lance raises them as OSError, RuntimeError or ValueError, with "(os error N)" or the object
    store's answer somewhere in a long message. The message begins with `operation`, such as "Writing /shops/mine".
    """
    try:
        yield
    except ModisteError:
        raise
    except Exception as error:
        if (explanation := explain_object_store_error(error)) is not None:
            reason, remedy = explanation
            raise StorageError(f"{operation} failed: {reason}.", remedy=remedy) from error
        number = _error_number(error)
        if number is None:
            raise
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = "Free some space and run the same command again; nothing was changed."
        else:
            remedy = "Check that the directory is readable and writable, then run the same command again."
        raise StorageError(f"{operation} failed: {os.strerror(number)}.", remedy=remedy) from error


def _error_number(error: Exception) -> int | None:
    """Return the number of an operating system error; None for any other error."""
    if not isinstance(error, (OSError, RuntimeError, ValueError)):
        return None
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    match = _OS_ERROR_NUMBER.search(str(error))
    return None if match is None else int(match[1] or match[2])


def explain_object_store_error(error: Exception) -> tuple[str, str] | None:
    """Return the reason and the remedy of an object storage error; None for any other error."""
    text = str(error)
    is_client_error = type(error).__module__.startswith("obstore")
    if not (is_client_error or _OBJECT_STORE_ERROR.search(text)):
        return None
    for pattern, reason, remedy in _KNOWN_ERRORS:
        if re.search(pattern, text):
            return reason, remedy
    return (_first_line(text), HELP_HINT) if is_client_error else None


def _first_line(text: str) -> str:
    return (text.splitlines() or ["it gave no reason"])[0][:300].rstrip(".")
