"""Seconds that an epoch takes with 0, 1 and 2 partners, all on this machine: what training together costs.

    python benchmarks/scale/training.py [--products 640] [--threads 2] [--page docs/scale.md]

The partners are plain processes, as Ray would start them: Ray takes no part in a step. Where all share the same
processors nothing can be gained, and what is slower is the price: three processes for one, their sums, and their
photos on the way. The products are the sample's, at 180 x 240; each row is one run, the median of its epochs.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import torch
from measured import write_between

from modiste.catalogue.sample import SampleSource
from modiste.shop.ingest import ingest
from modiste.shop.shop import Shop
from modiste.shop.training import StoredPhotos
from modiste.vae import TrainSettings, train

EPOCHS = 6
MARK = "scale-training"
PROGRAM = """
import sys
from modiste.vae.messages import Meeting
from modiste.vae.partner import take_part
host, port, key = sys.argv[1:]
take_part(Meeting(host, int(port), bytes.fromhex(key)), threads=1)
"""


class Here:
    """Partners on this machine, of one thread each; this process has one, too."""

    host, threads = "127.0.0.1", 1

    def __init__(self, count: int) -> None:
        self.count = count
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, meeting: Any) -> None:
        """As many as there are to be."""
        command = [sys.executable, "-c", PROGRAM, meeting.host, str(meeting.port), meeting.key.hex()]
        self.processes += [subprocess.Popen(command) for _ in range(self.count - len(self.processes))]

    def running(self) -> int:
        """All of them."""
        return len(self.processes)


class Enough(Exception):  # noqa: N818 - no error
    """All epochs are done; the model itself is not wanted."""


def seconds(
    photos: StoredPhotos, ids: list[str], preset: str, threads: int, partners: Here | None
) -> dict[bool, float]:
    """Seconds an epoch on small photos (False) and on whole frames (True), the first of each left out."""
    torch.set_num_threads(threads)
    settings = TrainSettings(preset=preset, epochs=EPOCHS, full_frame_share=0.5)
    told: dict[bool, list[float]] = {False: [], True: []}

    def note(event: dict[str, Any]) -> None:
        if event["stage"] == "epoch":
            told[event["full_frame"]].append(len(ids) / event["images_per_second"])
            if event["epoch"] == EPOCHS:
                raise Enough

    with tempfile.TemporaryDirectory() as directory, contextlib.suppress(Enough):
        train(photos, ids, settings, Path(directory), partners=partners, on_progress=note)
    return {full: median(each[1:]) for full, each in told.items() if each}


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--products", type=int, default=640)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--page", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        ingest(SampleSource(count=asked.products, seed=0), directory)
        shop = Shop.open(directory, need="catalogue")
        ids = list(shop.catalogue.ids)
        photos = StoredPhotos(shop.store, ids)
        lines = [
            f"{len(ids)} products, {asked.threads} processors; seconds an epoch.",
            "",
            "| partners | threads of each | small photos | whole frames | paper's preset |",
            "|---|---|---|---|---|",
        ]
        print("\n".join(lines), flush=True)
        for count, threads in ((0, asked.threads), (0, 1), (1, 1), (2, 1)):
            ours, papers = (
                seconds(photos, ids, preset, threads, Here(count) if count else None)
                for preset in ("default", "paper")
            )
            spent = f"{ours[False]:.2f} | {ours[True]:.2f} | {papers[True]:.2f}"
            lines.append(f"| {count} | {threads} | {spent} |")
            print(lines[-1], flush=True)
    if asked.page is not None:
        write_between(asked.page, MARK, "\n".join(lines))


if __name__ == "__main__":
    main()
