"""The S3 server of the tests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
SERVER = [str(ROOT / ".venv-tools" / "bin" / "python"), str(ROOT / "tests" / "s3_server.py")]
BUCKET = "shops"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}


def is_here() -> bool:
    """Return whether the S3 server is installed; `make setup` installs it."""
    ask = [SERVER[0], "-c", "import flask, flask_cors, moto"]
    return Path(SERVER[0]).exists() and subprocess.run(ask, capture_output=True, check=False).returncode == 0


@contextmanager
def running(*options: str) -> Iterator[str]:
    """Run the server with a bucket, and yield its address."""
    with subprocess.Popen([*SERVER, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        try:
            httpx.put(f"{address}/{BUCKET}", timeout=30, trust_env=False).raise_for_status()
            yield address
        finally:
            server.kill()


def counted(address: str) -> dict[str, int]:
    """Return the number of "requests" that the server has answered so far, and of their "bytes"."""
    return json.loads(httpx.get(f"{address}/-/counted", timeout=60, trust_env=False).content)
