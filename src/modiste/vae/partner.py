"""A process that trains along with another, which may be on another machine: it computes its slice of every step."""

from __future__ import annotations

import contextlib
import os
import socket
from datetime import timedelta
from multiprocessing.connection import Client, Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

import torch
from torch import Tensor
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from modiste import __version__
from modiste.vae.across import Sliced
from modiste.vae.checkpoint import put_back
from modiste.vae.group import Broken, Group
from modiste.vae.hardware import Hardware, choose_hardware
from modiste.vae.messages import Meeting, batch_in, pack, unpack
from modiste.vae.model import Vae
from modiste.vae.norms import share_norms
from modiste.vae.settings import TrainSettings
from modiste.vae.steps import Batch, Learner, Step, one_step

# What was said, with the photos of a step or the state of a network; None once nothing more will come.
Inbox = SimpleQueue["tuple[dict[str, Any], Batch | dict[str, Tensor]] | None"]


def take_part(meeting: Meeting, threads: int) -> None:
    """Train along, on `threads` threads, with the run that meets there, until that run ends or its process does.

    A run is a chain of groups: where one ends, or breaks since somebody in it is gone, this process says that it is
    free, and is asked into the next. It keeps nothing from one to the next: whatever it knows, it was sent.
    """
    torch.set_num_threads(threads)
    try:
        with Client((meeting.host, meeting.port), authkey=meeting.key) as line:
            line.send_bytes(pack({"threads": threads, "version": __version__}))
            inbox: Inbox = SimpleQueue()
            Thread(target=_listen, args=(line, inbox), daemon=True).start()
            while (message := inbox.get()) is not None:
                said, held = message
                if said["kind"] != "join":
                    continue  # a step of a group that broke
                assert isinstance(held, dict)
                with contextlib.suppress(Broken):
                    _train_along(said, held, inbox, meeting, _own_address(line))
                line.send_bytes(pack({"kind": "free"}))
    except (EOFError, OSError):
        return  # the run is over, or its process gone: nothing here is to be kept


def _listen(line: Connection, inbox: Inbox) -> None:
    """Decode the photos of coming steps while others are computed. No more than the sender allows are under way."""
    try:
        while True:
            said, tensors = unpack(line.recv_bytes())
            inbox.put((said, batch_in(tensors) if said["kind"] == "step" else tensors))
    except (EOFError, OSError):
        pass
    finally:
        inbox.put(None)


def _train_along(
    said: dict[str, Any], state: dict[str, Tensor], inbox: Inbox, meeting: Meeting, host: str
) -> None:
    """All steps of one group. Raises Broken."""
    ready, patience = said["patience"]
    try:
        store = TCPStore(
            meeting.host,
            said["store"],
            is_master=False,
            wait_for_workers=False,
            timeout=timedelta(seconds=ready),
        )
    except RuntimeError as error:
        raise Broken(str(error)) from None
    learner = _learner(said, state)
    group = Group(store, said["group"], said["rank"], said["size"], host, ready, patience)
    share_norms(learner.network, lambda: group)
    try:
        while (message := inbox.get()) is not None:
            said, batch = message
            if said["kind"] != "step":
                return
            assert isinstance(batch, Batch)
            step = Step(said["count"], said["seed"], said["rate"])
            across = Sliced(group, slice(*said["part"]), step.count)
            one_step(learner, batch.to(learner.hardware.device), step, across)
        inbox.put(None)
    finally:
        group.close()


def _learner(said: dict[str, Any], state: dict[str, Tensor]) -> Learner:
    """The network of the run as it is now, with its optimizer."""
    settings = TrainSettings.from_identity(said["settings"])
    device, bfloat16, channels_last = said["hardware"]
    own = choose_hardware("cpu" if device == "cpu" else "auto")
    hardware = Hardware(own.device, bfloat16, channels_last)
    network = Vae.fresh(settings.preset, settings.frame, settings.latent).to(hardware.device)
    if hardware.channels_last:
        network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, fused=True)
    put_back(state, network, optimizer)
    return Learner(settings, hardware, network, optimizer)


def _own_address(line: Connection) -> str:
    """The address of this machine on the network that leads to the other end of `line`."""
    with socket.socket(fileno=os.dup(line.fileno())) as held:
        return str(held.getsockname()[0])
