"""Partners of a training on this machine: plain processes, for tests to count and to kill."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from modiste.vae.messages import Meeting

PROGRAM = """
import sys
from modiste.vae.messages import Meeting
from modiste.vae.partner import take_part
host, port, key = sys.argv[1:]
take_part(Meeting(host, int(port), bytes.fromhex(key)), threads=1)
"""


class Company:
    """As many processes as there are places; one that dies is not replaced before the next epoch."""

    host, threads = "127.0.0.1", 1

    def __init__(self, places: int) -> None:
        self.places = places
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, meeting: Meeting) -> None:
        command = [sys.executable, "-c", PROGRAM, meeting.host, str(meeting.port), meeting.key.hex()]
        while self.running() < self.places:
            self.processes.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

    def running(self) -> int:
        return sum(process.poll() is None for process in self.processes)


@contextmanager
def company(places: int, kind: type[Company] = Company) -> Iterator[Company]:
    """Partners, and none left behind."""
    made = kind(places)
    try:
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait()
