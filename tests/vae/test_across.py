"""Slices of a batch, each with one of a group, give the loss and the gradients of the whole batch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
import torch
from torch.distributed import HashStore, Store

from modiste.vae.across import WHOLE, Sliced, Whole
from modiste.vae.group import Broken, Group
from modiste.vae.hardware import Hardware
from modiste.vae.model import Vae
from modiste.vae.norms import SharedNorm, share_norms
from modiste.vae.settings import TrainSettings
from modiste.vae.steps import Batch, Learner, terms_of
from modiste.vae.together import slices

T = TypeVar("T")
FRAME, COUNT, LATENT = (48, 36), 12, 4


def in_group(size: int, work: Callable[[Group], T]) -> list[T]:
    """What each of a group makes of it; here the group is of threads."""
    store = HashStore()
    store.set_timeout(timedelta(seconds=20))

    def member(rank: int) -> T:
        group = Group(store, "test", rank, size, "127.0.0.1", 20.0, 20.0)
        try:
            return work(group)
        finally:
            group.close()

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(member, range(size)))


def learner(preset: str, *, bfloat16: bool = False) -> Learner:
    torch.manual_seed(0)
    network = Vae.fresh(preset, FRAME, LATENT)
    optimizer = torch.optim.Adam(network.parameters())
    hardware = Hardware(torch.device("cpu"), bfloat16=bfloat16)
    return Learner(TrainSettings(preset=preset, frame=FRAME, latent=LATENT), hardware, network, optimizer)


def photos(phase: str) -> Batch:
    """Twelve photos of noise, each of its own brightness: no slice is like the whole."""
    generator = torch.Generator().manual_seed(1)
    level = torch.linspace(0.2, 1.0, COUNT)[:, None, None, None]
    whole = torch.rand((COUNT, 3, *FRAME), generator=generator) * level
    looks = torch.randn((COUNT, 2892), generator=generator), torch.randn((COUNT, 390), generator=generator)
    if phase == "learning":
        return Batch(body=whole, looks=looks)
    if phase == "drawing":
        mean = torch.randn((COUNT, LATENT), generator=generator)
        return Batch(whole=whole, posterior=(mean, torch.full_like(mean, 0.3)))
    return Batch(whole=whole)


def sliced(batch: Batch, part: slice) -> Batch:
    def of(pair: tuple[torch.Tensor, torch.Tensor] | None) -> tuple[torch.Tensor, torch.Tensor] | None:
        return None if pair is None else (pair[0][part], pair[1][part])

    return Batch(
        None if batch.body is None else batch.body[part],
        of(batch.looks),
        None if batch.whole is None else batch.whole[part],
        of(batch.posterior),
    )


def learnt(one: Learner, batch: Batch, across: Whole) -> tuple[dict[str, float], torch.Tensor, torch.Tensor]:
    """The terms, all gradients and all buffers after a step's way forward and back."""
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn((COUNT, LATENT), generator=generator)[across.part]
    move = torch.rand((COUNT, 3), generator=generator)[across.part]
    one.network.train()
    terms = terms_of(one, one.network, batch, noise, move, across)
    terms.loss.backward()
    across.gradients(one.network.parameters())
    grads = [each.grad.flatten() for each in one.network.parameters() if each.grad is not None]
    buffers = [each.flatten().float() for each in one.network.buffers()]
    return (
        {name: float(value.detach()) for name, value in terms.named().items()},
        torch.cat(grads),
        torch.cat(buffers),
    )


PHASES = [("default", "learning"), ("default", "drawing"), ("paper", "whole")]
Learnt = tuple[dict[str, float], torch.Tensor, torch.Tensor]


def whole_and_sliced(one: Learner, batch: Batch) -> tuple[Learnt, list[Learnt]]:
    """What one process learns of a batch, and what each of three learns with slices of unequal size."""
    copies = [copy.deepcopy(one.network) for _ in range(3)]

    def take(group: Group) -> Learnt:
        mine = replace(one, network=copies[group.rank])
        share_norms(mine.network, lambda: group)
        part = (slice(0, 2), slice(2, 7), slice(7, 12))[group.rank]
        return learnt(mine, sliced(batch, part), Sliced(group, part, COUNT))

    return learnt(one, batch, WHOLE), in_group(3, take)


@pytest.mark.parametrize(("preset", "phase"), PHASES)
def test_slices_learn_what_the_whole_batch_does(preset: str, phase: str) -> None:
    """Measured: the gradients differ by 1e-6 to 4e-6 of their length, the losses by 3e-7."""
    (expected, expected_grads, expected_buffers), found = whole_and_sliced(learner(preset), photos(phase))
    for terms, grads, buffers in found:
        assert terms == found[0][0]
        assert torch.equal(grads, found[0][1])  # the same bits: the weights stay equal, too
        assert torch.equal(buffers, found[0][2])
        assert terms == pytest.approx(expected, rel=5e-6, abs=1e-6)
        assert float((grads - expected_grads).norm() / expected_grads.norm()) < 2e-5
        torch.testing.assert_close(buffers, expected_buffers, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("preset", "phase"), PHASES)
def test_slices_in_bfloat16_are_nearer_to_the_whole_than_bfloat16_is_to_float32(
    preset: str, phase: str
) -> None:
    batch = photos(phase)
    _, exact, _ = learnt(learner(preset), batch, WHOLE)
    (terms, expected, _), found = whole_and_sliced(learner(preset, bfloat16=True), batch)
    assert found[0][0]["loss"] == pytest.approx(terms["loss"], rel=1e-4)
    assert (found[0][1] - expected).norm() < (expected - exact).norm()


def test_without_a_group_the_norms_are_torchs_own() -> None:
    one = learner("default").network
    other = copy.deepcopy(one)
    share_norms(other, lambda: None)
    assert any(isinstance(module, SharedNorm) for module in other.modules())
    assert [*other.state_dict()] == [*one.state_dict()]
    photo = torch.rand(4, *FRAME, 3)
    for network in (one, other):
        network.train()
    assert all(torch.equal(a, b) for a, b in zip(one(photo), other(photo), strict=True))


def test_a_group_that_does_not_come_together_is_broken() -> None:
    store: Store = HashStore()
    store.set_timeout(timedelta(seconds=0.2))
    with pytest.raises(Broken):
        Group(store, "test", 0, 2, "127.0.0.1", 0.2, 0.2)


def test_a_group_that_one_leaves_is_broken() -> None:
    def leave_or_wait(group: Group) -> bool:
        if group.rank == 1:
            return True
        with pytest.raises(Broken):
            group.sum(torch.ones(3))
        return True

    assert in_group(3, leave_or_wait) == [True] * 3


@pytest.mark.parametrize(
    ("count", "powers", "sizes"),
    [(12, [1, 1, 1], [4, 4, 4]), (8, [2, 1, 1], [3, 3, 2]), (2, [8, 1], [1, 1]), (64, [4, 16], [13, 51])],
)
def test_slices_are_in_proportion_and_never_empty(count: int, powers: list[int], sizes: list[int]) -> None:
    parts = slices(count, powers)
    assert [part.stop - part.start for part in parts] == sizes
    assert [index for part in parts for index in range(count)[part]] == list(range(count))
