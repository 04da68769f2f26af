"""What a loss must know of the whole batch, where each process of a group holds a slice of it.

The convention: the loss is one number, which every process knows. Means over the batch are shared on the way forward;
on the way back each process goes on with its own photos' part, and the parts are added up once, as gradients of the
weights (`gradients`). So the loss and the gradients are those of one process, up to the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from modiste.vae.group import Group


class Whole:
    """The batch is here whole: nothing is to be shared."""

    part = slice(None)  # of the batch's photos: those that this process holds

    def means(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """Means over the whole batch, from those over the photos that are here."""
        return parts

    def centred(self, codes: Tensor) -> Tensor:
        """Codes `(b, n)` about their mean over the whole batch."""
        return codes - codes.mean(dim=0)

    def gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make each gradient that of the whole batch, in place."""


WHOLE = Whole()


class Sliced(Whole):
    """A slice of the batch is here; the rest is with the others of a group.

    Every method is to be called by all of them alike. Each may raise Broken.
    """

    def __init__(self, group: Group, part: slice, count: int) -> None:
        """`part` are the photos that are here, of `count`."""
        self.group, self.part = group, part
        self.share = (part.stop - part.start) / count

    def means(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """Means over the whole batch; backwards, each goes to this slice by its share."""
        flat = torch.cat([part.float().reshape(-1) for part in parts])
        shared = _Mean.apply(flat, self.group, self.share)
        sizes = [part.numel() for part in parts]
        return tuple(held.view(part.shape) for held, part in zip(shared.split(sizes), parts, strict=True))

    def centred(self, codes: Tensor) -> Tensor:
        """Codes about their mean. What is made of them is a covariance, whose derivative by the mean is 0."""
        with torch.no_grad():
            mean = _summed(self.group, codes.float().mean(dim=0) * self.share)
        return codes - mean

    def gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up what the processes found, in one exchange."""
        held = [each.grad for each in parameters if each.grad is not None]
        flat = self.group.sum(torch.cat([grad.reshape(-1) for grad in held]).cpu())
        for grad, summed in zip(held, flat.split([grad.numel() for grad in held]), strict=True):
            grad.copy_(summed.view(grad.shape))


def _summed(group: Group, tensor: Tensor) -> Tensor:
    """The sum over a group, in double precision on the way: the number of processes hardly rounds."""
    return group.sum(tensor.to("cpu", torch.float64)).to(tensor)


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, flat: Tensor, group: Group, share: float) -> Tensor:
        ctx.share = share
        return _summed(group, flat * share)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0] * ctx.share, None, None
