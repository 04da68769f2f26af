"""The admin key and the read key: stored as hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import Request

from modiste.server.dependencies import get_versions
from modiste.server.problems import ProblemException

HASH_PREFIX = "sha256:"
KEY_PREFIX = "modiste_"  # secret scanners can search for it


def new_key() -> tuple[str, str]:
    """Create a key of 256 random bits. Return the key and its hash, which the server's settings hold.

    One round of SHA-256 is enough: nobody can guess 256 random bits.
    """
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, hash_key(key)


def hash_key(key: str) -> str:
    """Return the hash that settings hold instead of a key."""
    return HASH_PREFIX + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def require_read_key(request: Request) -> None:
    """Require the admin key or the read key. Raises ProblemException: 404 if no key is set, 401 if none matches."""
    settings = get_versions(request).settings
    _require_key(request, (settings.admin_key, settings.read_key))


def require_admin_key(request: Request) -> None:
    """Require the admin key.

    Raises ProblemException: 404 if none is set, 401 if no key matches, 403 for the read key.
    """
    settings = get_versions(request).settings
    if not settings.admin_key:
        raise _disabled_problem()
    try:
        _require_key(request, (settings.admin_key,))
    except ProblemException:
        _require_key(request, (settings.read_key,))  # 401 if it is not the read key either
        raise ProblemException(
            403, "read_only", "The read key cannot change the shop.", remedy="Use the admin key."
        ) from None


def _require_key(request: Request, allowed: tuple[str, ...]) -> None:
    hashes = [each for each in allowed if each]
    if not hashes:
        if get_versions(request).settings.admin_key:
            raise _unauthorized_problem()
        raise _disabled_problem()
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key_hash = hash_key(key.strip()) if scheme.lower() == "bearer" else ""
    # Compare with all of them, so that the time does not tell which one matched.
    matches = [hmac.compare_digest(key_hash.encode(), each.encode()) for each in hashes]
    if not any(matches):
        raise _unauthorized_problem()


def _disabled_problem() -> ProblemException:
    return ProblemException(
        404, "not_found", "This server has no admin key.", remedy="Set the hash of a key: see `modiste key --help`."
    )


def _unauthorized_problem() -> ProblemException:
    return ProblemException(
        401,
        "unauthorized",
        "The key is missing or wrong.",
        remedy="Send the header `Authorization: Bearer KEY`.",
        headers={"WWW-Authenticate": "Bearer"},
    )
