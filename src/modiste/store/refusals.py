"""What object storage says when it refuses, in words that help: the clients say it in long ones, each its own."""

from __future__ import annotations

import re

HELP = "docs/how-to/object-storage.md lists what is needed."
_OURS = re.compile(
    r"Generic \S+ error|LanceError\(IO\)|error sending request|store: \"(S3|GCS)\"|NoSuchBucket"
)
_CASES: tuple[tuple[str, str, str], ...] = (
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
        f"or give this machine a role. {HELP}",
    ),
    (
        r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|"
        r"status code: 40[13]|Forbidden|Unauthorized|lacked the valid authentication|necessary privileges",
        "the store refused these credentials",
        f"Check them, and that they may list, read, write and delete there. {HELP}",
    ),
    (
        r"error sending request|ConnectError|tcp connect error|dns error|timed out|TimedOut|"
        r"[Cc]onnection (refused|reset|closed)|error decoding response",
        "the store cannot be reached",
        "See that it runs, and that AWS_ENDPOINT_URL is its address where it is not Amazon's; "
        "then run the same command again.",
    ),
)


def refusal(error: Exception) -> tuple[str, str] | None:
    """What happened and what to do, where `error` is one of object storage; None where it is not."""
    text = str(error)
    if not (type(error).__module__.startswith("obstore") or _OURS.search(text)):
        return None
    for pattern, says, remedy in _CASES:
        if re.search(pattern, text):
            return says, remedy
    return None if not type(error).__module__.startswith("obstore") else (_first_line(text), HELP)


def _first_line(text: str) -> str:
    return (text.splitlines() or ["it did not say why"])[0][:300].rstrip(".")
