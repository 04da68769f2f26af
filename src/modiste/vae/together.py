"""Training together: this process, which keeps the run, and partners elsewhere, each with a slice of every batch.

All state is here. A partner that dies, or does not answer in time, costs the step that was under way: it is taken
again, by who is left, from the weights as they were. Who comes, or comes back, is taken in as the next epoch begins.
"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from modiste import __version__
from modiste.errors import TrainingError
from modiste.vae.across import Sliced
from modiste.vae.checkpoint import learner_tensors
from modiste.vae.group import Broken, Group
from modiste.vae.messages import Meeting, pack, photos_in, unpack
from modiste.vae.norms import share_norms
from modiste.vae.run import Run, alone
from modiste.vae.steps import Step, one_step

PATIENCE = 20.0  # seconds in which a partner must answer
READY = 60.0  # seconds in which processes that were started must have come, or be ready for a group
ATTEMPTS = 3  # at forming a group, where all are there
AHEAD = 2  # steps whose photos are sent before they are needed

Rows = npt.NDArray[np.int64]


class Partners(Protocol):
    """Who starts processes that train along, wherever there is room for one."""

    @property
    def host(self) -> str:
        """The address of this machine, as the others reach it."""
        ...

    @property
    def threads(self) -> int | None:
        """How many threads this process should train on beside the others; None: as many as it likes."""
        ...

    def start(self, meeting: Meeting) -> None:
        """See that in each free place a process runs `take_part(meeting, threads)`. Called as every epoch begins."""
        ...

    def running(self) -> int:
        """How many of them run, or are about to."""
        ...


@dataclass(eq=False)
class Partner:
    """One of the others, as this process sees it."""

    line: Connection
    threads: int

    def send(self, said: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> None:
        """Say something. Raises Broken where that cannot be, or not in time."""
        try:
            self.line.send_bytes(pack(said, tensors))
        except OSError as error:
            raise Broken(str(error)) from None

    def is_free(self, patience: float) -> bool:
        """Whether it says so within `patience` seconds; one that died is known at once."""
        try:
            return self.line.poll(patience) and bool(self.line.recv_bytes())
        except (EOFError, OSError):
            return False


class Together:
    """The processes that take a run's steps together, of which this is the first."""

    def __init__(self, partners: Partners) -> None:
        """Open the meeting, and call the partners: until the first step they have time to come."""
        self.partners, self.patience = partners, PATIENCE
        self.group: Group | None = None
        self._free: list[Partner] = []
        self._members: list[Partner] = []
        self._sending = ThreadPoolExecutor(1, thread_name_prefix="partners")
        self._sent: list[Future[None]] = []
        self._groups = 0
        self._waited = False  # for those that were started
        # Bound to the one network that the others are on.
        self._door = socket.create_server((partners.host, 0))
        held = socket.create_server((partners.host, 0))
        self._store = TCPStore(
            partners.host,
            held.getsockname()[1],
            is_master=True,
            wait_for_workers=False,
            timeout=timedelta(seconds=READY),
            master_listen_fd=held.detach(),
        )
        self.meeting = Meeting(partners.host, self._door.getsockname()[1], secrets.token_bytes(32))
        partners.start(self.meeting)

    def close(self) -> None:
        """Send all of them home."""
        self._leave()
        self._sending.shutdown()
        for partner in self._free:
            partner.line.close()
        self._door.close()

    def steps(
        self, run: Run, batches: Sequence[Rows], steps: Sequence[Step], full: bool
    ) -> Iterator[dict[str, float]]:
        """Take steps as `alone` does, with the same result up to the rounding of sums; `processes` is how many took
        part. A group lasts for these steps, so that whatever changed outside of them is known to all.

        Raises:
            TrainingError: a partner has another version of Modiste.
        """
        share_norms(run.network, lambda: self.group)
        self.partners.start(self.meeting)
        self._await_partners()
        done = 0
        while done < len(steps):
            self._meet(run, steps[done].count)
            try:
                for terms in self._take(run, batches[done:], steps[done:], full):
                    done += 1
                    yield terms
            except Broken:
                continue
            finally:
                self._leave()

    def _await_partners(self) -> None:
        """Let in who has come; before the first step, wait for those that were started."""
        until = time.monotonic() + (0.0 if self._waited else READY)
        self._waited = True
        self._let_in()
        while len(self._free) < self.partners.running() and time.monotonic() < until:
            time.sleep(0.05)
            self._let_in()

    def _let_in(self) -> None:
        while select.select([self._door], [], [], 0)[0]:
            held, _ = self._door.accept()
            limit = struct.pack("ll", int(self.patience) + 1, 0)
            for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                held.setsockopt(socket.SOL_SOCKET, option, limit)
            line = Connection(held.detach())
            try:
                deliver_challenge(line, self.meeting.key)
                answer_challenge(line, self.meeting.key)
                said, _ = unpack(line.recv_bytes())
            except (AuthenticationError, EOFError, OSError):
                line.close()
                continue
            if said["version"] != __version__:
                line.close()
                raise TrainingError(
                    f"A machine of the cluster has Modiste {said['version']}; this one has {__version__}.",
                    remedy="Install the same version on all of them.",
                )
            self._free.append(Partner(line, said["threads"]))

    def _meet(self, run: Run, count: int) -> None:
        """Form a group with who is free, for batches of `count`; none where nobody is.

        Raises:
            TrainingError: all are there, and cannot reach each other.
        """
        failed = 0
        while self._free:
            self._members, self._free = self._free[: count - 1], self._free[count - 1 :]
            self._groups += 1
            name, size = str(self._groups), 1 + len(self._members)
            hardware = run.hardware
            said = {
                "kind": "join",
                "group": name,
                "size": size,
                "store": self._store.port,
                "patience": [READY, self.patience],
                "settings": run.settings.identity(),
                "hardware": [hardware.device.type, hardware.bfloat16, hardware.channels_last],
            }
            state = learner_tensors(run.network, run.optimizer)
            try:
                for rank, partner in enumerate(self._members, 1):
                    partner.send(said | {"rank": rank}, state)
                self.group = Group(self._store, name, 0, size, self.partners.host, READY, self.patience)
                return
            except Broken as error:
                self._leave()
                failed += len(self._free) >= size - 1
                if failed == ATTEMPTS:
                    raise TrainingError(
                        f"The machines of the cluster do not reach each other: {error}.",
                        remedy="Open the TCP ports between them, or train without --cluster.",
                    ) from None

    def _leave(self) -> None:
        """End the group; whoever does not say in time that it is free again is left behind."""
        for sent in self._sent:
            sent.exception()
        self._sent.clear()
        if self.group is not None:
            self.group.close()
            self.group = None
        until = time.monotonic() + self.patience
        for partner in self._members:
            if partner.is_free(max(0.0, until - time.monotonic())):
                self._free.append(partner)
            else:
                partner.line.close()
        self._members = []

    def _take(
        self, run: Run, batches: Sequence[Rows], steps: Sequence[Step], full: bool
    ) -> Iterator[dict[str, float]]:
        """Take steps in the group, or alone where there is none. Raises Broken, with the run as before that step."""
        group = self.group
        if group is None:
            for terms in alone(run, batches, steps, full):
                yield terms | {"processes": 1.0}
            return
        on_cpu = run.hardware.device.type == "cpu"
        powers = [torch.get_num_threads(), *(partner.threads for partner in self._members)]
        powers = powers if on_cpu else [1] * group.size
        parts = [slices(step.count, powers) for step in steps]
        mine = [rows[part[0]] for rows, part in zip(batches, parts, strict=True)]

        def send(number: int) -> None:
            rows, step = batches[number], steps[number]
            said = {"kind": "step", "count": step.count, "seed": step.seed, "rate": step.rate}
            for partner, part in zip(self._members, parts[number][1:], strict=True):
                photos = photos_in(run, rows[part], full=full)
                partner.send(said | {"part": [part.start, part.stop]}, photos)

        for number, whole in enumerate(run.photos.batches(mine, full=full)):
            for coming in range(len(self._sent), min(number + AHEAD + 1, len(steps))):
                self._sent.append(self._sending.submit(send, coming))
            self._sent[number].result()
            across = Sliced(group, parts[number][0], steps[number].count)
            # A step that breaks may have moved the averages of batch normalisation already.
            buffers = [buffer.clone() for buffer in run.network.buffers()]
            try:
                terms = one_step(run, run.batch_of(mine[number], whole), steps[number], across)
            except Broken:
                for buffer, held in zip(run.network.buffers(), buffers, strict=True):
                    buffer.copy_(held)
                raise
            yield terms | {"processes": float(group.size)}
        for partner in self._members:
            partner.send({"kind": "end"})


def slices(count: int, powers: Sequence[int]) -> list[slice]:
    """`count` photos for as many processes as there are `powers`, in proportion to these; at least one for each."""
    spare = count - len(powers)
    ends = np.cumsum(powers) / sum(powers)
    stops = [index + 1 + round(float(end) * spare) for index, end in enumerate(ends)]
    return [slice(start, stop) for start, stop in zip([0, *stops[:-1]], stops, strict=True)]
