"""Resumable state of a training run, as safetensors (never pickle)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from modiste.errors import ResumeError, StorageError
from modiste.storage.atomic import atomic_file

CHECKPOINT_FILE = "checkpoint.safetensors"  # in the directory of the run
RESUME_REMEDY = "Train without --resume, or with the settings of the run that you want to resume."


@dataclass
class RunProgress:
    """The progress of a run: epochs done and planned, and the state of early stopping."""

    identity: dict[str, Any]
    epochs: int
    done: int = 0
    step: int = 0
    best: float | None = None
    best_epoch: int = -1
    stopped: bool = False
    seconds: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict[str, Any])


def network_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Return weights and buffers by name."""
    return {name: tensor.detach() for name, tensor in network.state_dict().items()}


def train_state_tensors(network: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the state of a network and its optimizer on the CPU, with prefixed names."""
    tensors = {f"network/{name}": tensor.cpu().contiguous() for name, tensor in network_tensors(network).items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{name}": tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    return tensors


def restore_tensors(tensors: dict[str, Tensor], network: nn.Module, optimizer: Optimizer) -> None:
    """Load what `train_state_tensors` returned; tensors with other prefixes are ignored."""
    weights: dict[str, Tensor] = {}
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        prefix, rest = name.split("/", 1)
        if prefix == "network":
            weights[rest] = tensor
        elif prefix == "optimizer":
            number, entry = rest.split("/", 1)
            states.setdefault(int(number), {})[entry] = tensor
    network.load_state_dict(weights)
    # Fused Adam needs parameters and moments in the same memory layout.
    parameters = list(network.parameters())
    for number, state in states.items():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name] = torch.empty_like(parameters[number]).detach().copy_(state[name])
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})


def save_checkpoint(
    path: Path,
    progress: RunProgress,
    network: nn.Module,
    average: dict[str, Tensor],
    best: dict[str, Tensor],
    optimizer: Optimizer,
) -> None:
    """Write a checkpoint atomically: a kill at any moment leaves the old one or the new one.

    Raises StorageError if the disk refuses.
    """
    tensors = train_state_tensors(network, optimizer)
    for prefix, group in (("average", average), ("best", best)):
        tensors |= {f"{prefix}/{name}": tensor.detach().cpu().contiguous() for name, tensor in group.items()}
    # Clone, because tensors that share memory cannot be saved; sort, so that equal runs give equal files.
    tensors = {name: tensors[name].clone() for name in sorted(tensors)}
    metadata = {"progress": json.dumps(vars(progress), sort_keys=True)}
    try:
        with atomic_file(path) as partial:
            save_file(tensors, partial, metadata=metadata)
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"The checkpoint {path} could not be written: {error}.",
            remedy="Free some space or fix the permissions, then run the same command with --resume.",
        ) from error


def read_notes(path: Path) -> dict[str, Any]:
    """Return the notes of a checkpoint: the hardware settings that its run began with. Raises ResumeError."""
    try:
        with safe_open(path, framework="pt") as file:
            return dict(json.loads(file.metadata()["progress"])["notes"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _unreadable_error(path, error) from None


def _unreadable_error(path: Path, error: Exception) -> ResumeError:
    return ResumeError(f"The checkpoint {path} cannot be read: {error}.", remedy=RESUME_REMEDY)


def load_checkpoint(
    path: Path, identity: dict[str, Any], network: nn.Module, optimizer: Optimizer
) -> tuple[RunProgress, dict[str, Tensor], dict[str, Tensor]]:
    """Restore the network and the optimizer; return the progress, the averaged and the best weights.

    Raises ResumeError if the checkpoint is damaged, or was made with other settings.
    """
    try:
        with safe_open(path, framework="pt") as file:
            progress = RunProgress(**json.loads(file.metadata()["progress"]))
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _unreadable_error(path, error) from None
    if progress.identity != identity:
        differing = sorted(
            key for key in {*identity, *progress.identity} if progress.identity.get(key) != identity.get(key)
        )
        raise ResumeError(f"The checkpoint {path} was made with other {', '.join(differing)}.", remedy=RESUME_REMEDY)
    restore_tensors(tensors, network, optimizer)
    average, best = (
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        for prefix in ("average/", "best/")
    )
    return progress, average, best
