"""Keys: who may change the shop, and who may only look. Kept as hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import Request

from modiste.server.dependencies import get_versions
from modiste.server.problems import ProblemException

HASH_PREFIX = "sha256:"
KEY_PREFIX = "modiste_"  # so that a key that was committed somewhere is found by those who look for them


def new_key() -> tuple[str, str]:
    """A key of 256 random bits, and the hash of it that a server is given: guessing is hopeless, so one round does."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, hash_key(key)


def hash_key(key: str) -> str:
    """What settings hold instead of a key."""
    return HASH_PREFIX + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def require_read_key(request: Request) -> None:
    """Let those pass who have either key. Raises Refusal: 404 where there are no keys, 401 without one that fits."""
    settings = get_versions(request).settings
    _require_key(request, (settings.admin_key, settings.read_key))


def require_admin_key(request: Request) -> None:
    """Let those pass who have the admin key. Raises Refusal: 404 where there is none, 401 or 403 without it."""
    settings = get_versions(request).settings
    if not settings.admin_key:
        raise _disabled_problem()
    try:
        _require_key(request, (settings.admin_key,))
    except ProblemException:
        _require_key(request, (settings.read_key,))  # 401 for whoever has neither
        raise ProblemException(
            403, "read_only", "This key may only look.", remedy="Use the admin key to change the shop."
        ) from None


def _require_key(request: Request, allowed: tuple[str, ...]) -> None:
    held = [each for each in allowed if each]
    if not held:
        if get_versions(request).settings.admin_key:
            raise _unauthorized_problem()
        raise _disabled_problem()
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    given = hash_key(key.strip()) if scheme.lower() == "bearer" else ""
    # All are compared, so that the time does not tell which.
    fits = [hmac.compare_digest(given.encode(), each.encode()) for each in held]
    if not any(fits):
        raise _unauthorized_problem()


def _disabled_problem() -> ProblemException:
    return ProblemException(
        404,
        "not_found",
        "This server is not administered over HTTP.",
        remedy="Start it with the hash of a key: see `modiste key --help`.",
    )


def _unauthorized_problem() -> ProblemException:
    return ProblemException(
        401,
        "unauthorized",
        "The key is missing, or not one of this server's.",
        remedy="Send the header `Authorization: Bearer KEY`.",
        headers={"WWW-Authenticate": "Bearer"},
    )
