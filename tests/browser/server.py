"""The studio as its users run it: `modiste serve` in a process of its own, and Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120.0  # seconds for a server to be ready, on a machine that is busy with ten other things


def find_browser() -> str | None:
    """Return the path of a Chromium; None if there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """`modiste serve` on a shop, which can be stopped and started again on the same port."""

    def __init__(self, shop: Path, *options: str) -> None:
        self.shop = shop
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it is ready."""
        command = [sys.executable, "-m", "modiste", "serve", "--shop", str(self.shop), "--port", str(self.port)]
        # All tests are one client: more photos in a minute than a visitor sends.
        environment = os.environ | {"MODISTE_UPLOADS_PER_MINUTE": "600"}
        self.process = subprocess.Popen([*command, *self._options], stdout=subprocess.DEVNULL, env=environment)
        give_up = time.monotonic() + PATIENCE
        while not self._ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"modiste serve ended with {self.process.returncode}")
            if time.monotonic() > give_up:
                self.stop()
                raise RuntimeError(f"modiste serve was not ready after {PATIENCE:.0f} s")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server, as Ctrl-C would."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=PATIENCE)
            self.process = None

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def served(shop: Path, *options: str) -> Iterator[Server]:
    """Run a server of the shop at `shop` during the block."""
    server = Server(shop, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def browser() -> Iterator[Any]:
    """Run a headless Chromium during the block, and yield Playwright's handle."""
    from playwright.sync_api import sync_playwright

    path = find_browser()
    if path is None:
        raise RuntimeError("There is no Chromium. On Debian and Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        # No sandbox: root may not use Chromium's. The pages are our own, from loopback.
        running = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield running
        finally:
            running.close()
