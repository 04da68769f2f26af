"""Batch normalisation by the statistics of a whole batch, of which each process of a group holds a slice.

torch has this for GPUs only (`SyncBatchNorm`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from modiste.vae.group import Group

GroupOf = Callable[[], "Group | None"]


class SharedNorm(_BatchNorm):
    """A batch normalisation that asks for its group as it trains; without one it is torch's own."""

    # A function, and not the group itself: copies of a network hold the same function, a group cannot be copied.
    group_of: GroupOf

    @classmethod
    def over(cls, norm: _BatchNorm, group_of: GroupOf) -> SharedNorm:
        """One that takes the place of `norm`, with its very weights and buffers."""
        shared = cls(norm.num_features, norm.eps, norm.momentum)
        shared._parameters, shared._buffers = norm._parameters, norm._buffers
        shared.training, shared.group_of = norm.training, group_of
        return shared

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        """`(b, c)` or `(b, c, h, w)`, normalised. Raises Broken where the group is."""
        group = self.group_of() if self.training else None
        if group is None:
            return super().forward(input)
        dims = [dim for dim in range(input.dim()) if dim != 1]
        with torch.no_grad():
            variance, mean = torch.var_mean(input.float(), dims, correction=0)
            count = input.numel() / self.num_features
            # Sums in double precision: a variance is a difference of them.
            told = torch.stack([mean, variance, torch.ones_like(mean)]).to("cpu", torch.float64)
            told[1] += told[0].square()
            told = group.sum(told.mul_(count))
            count = float(told[2, 0])
            told = told[:2] / count
            told[1] -= told[0].square()
            mean, variance = told.to(mean)
            self._remember(mean, variance, count)
        return _Normalised.apply(input, self.weight, self.bias, mean, variance, self.eps, count, group)

    def _remember(self, mean: Tensor, variance: Tensor, count: float) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1.0)), self.momentum)


class _Normalised(torch.autograd.Function):
    """By given statistics, which depend on the input: the derivative is batch normalisation's own."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        eps: float,
        count: float,
        group: Group,
    ) -> Tensor:
        ctx.save_for_backward(input, weight, mean, variance)
        ctx.eps, ctx.count, ctx.group = eps, count, group
        return torch.native_batch_norm(input, weight, bias, mean, variance, False, 0.0, eps)[0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        input, weight, mean, variance = ctx.saved_tensors
        (given,) = grads
        # Here alone: sums of the gradient, and of the gradient times the normalised input.
        _, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            given, input, weight, mean, variance, None, None, False, ctx.eps, [False, True, True]
        )
        sums = torch.stack([by_bias, by_weight]).to("cpu", torch.float64)
        along, about = (ctx.group.sum(sums) / ctx.count).to(mean)
        inverse = torch.rsqrt(variance + ctx.eps)
        shape = [1, -1] + [1] * (input.dim() - 2)
        gain = (weight * inverse).view(shape)
        slope = (-weight * inverse.square() * about).view(shape)
        level = -gain * along.view(shape) - slope * mean.view(shape)
        back = input.float().mul(slope).add_(level).addcmul_(given.float(), gain).to(input.dtype)
        return back, by_weight, by_bias, None, None, None, None, None


def share_norms(network: nn.Module, group_of: GroupOf) -> None:
    """Put a SharedNorm in the place of every batch normalisation of `network`."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, _BatchNorm) and not isinstance(child, SharedNorm):
                setattr(parent, name, SharedNorm.over(child, group_of))
