"""Gradients by record against Opacus, and clipping."""

import copy
from functools import partial

import pytest
import torch
from opacus import GradSampleModule

from models.images.diffusion.denoising import losses
from models.images.diffusion.encoding import Records
from models.images.diffusion.network import Denoiser, started
from models.images.diffusion.private import _mean_loss, drawn_parts, summed
from models.images.diffusion.record_gradients import clipped_sum, record_gradients
from models.images.diffusion.settings import Settings

RECORDS, SLICES, DRAWS = 5, 3, 4


@pytest.fixture(scope="module")
def network() -> Denoiser:
    made = Denoiser(2, (10, 12), 3, width=8, grid=8)
    draws = torch.Generator().manual_seed(0)
    started(made, draws)
    for weights in made.parameters():  # no weight at zero, where its neighbours would have no gradient
        weights.data += 0.05 * torch.randn(weights.shape, generator=draws)
    return made


@pytest.fixture(scope="module")
def records() -> Records:
    draws = torch.Generator().manual_seed(1)
    slices = torch.full((RECORDS,), SLICES)
    images = torch.rand(RECORDS * SLICES, 2, 10, 12, generator=draws)
    conditions = torch.eye(3)[torch.randint(3, (RECORDS * SLICES,), generator=draws)]
    return Records(images, conditions, (3,), slices.cumsum(0) - slices, slices)


def opacus_gradients(network: Denoiser, parts: tuple[torch.Tensor, ...]) -> dict[str, torch.Tensor]:
    """By Opacus' hooks, per draw, then averaged over each record's draws."""
    guarded = GradSampleModule(copy.deepcopy(network), loss_reduction="sum")
    flat = [part.flatten(0, 1) for part in parts]
    losses(guarded, *flat).sum().backward()
    named = guarded._module.named_parameters()
    return {name: w.grad_sample.view(RECORDS, DRAWS, *w.shape).mean(1) for name, w in named}  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore:Full backward hook")
def test_they_are_those_of_opacus(network: Denoiser, records: Records) -> None:
    parts = drawn_parts(records, torch.arange(RECORDS), DRAWS, torch.Generator().manual_seed(2))
    ours, theirs = record_gradients(network, _mean_loss, *parts), opacus_gradients(network, parts)
    assert ours.keys() == theirs.keys()
    norms = [torch.stack([g.flatten(1).norm(dim=1) for g in side.values()]).norm(dim=0) for side in (ours, theirs)]
    assert torch.allclose(*norms, rtol=1e-5)
    assert all(torch.allclose(ours[n], theirs[n], rtol=1e-4, atol=1e-5 * float(norms[0].max())) for n in ours)


def test_no_patient_moves_a_step_by_more_than_the_clipping_norm(network: Denoiser, records: Records) -> None:
    """A patient with all slices is one record, however many it has."""
    small = Settings(clipping_norm=0.01, draws=DRAWS)
    uneven = Records(records.images, records.conditions, (3,), torch.tensor([0, 1, 13]), torch.tensor([1, 12, 2]))
    for patient in range(3):
        total = summed(network, uneven, torch.tensor([patient]), small, torch.Generator().manual_seed(0))
        norm = float(torch.cat([part.flatten() for part in total.values()]).norm())
        assert 0.0099 < norm <= 0.01


def test_unclipped_sums_are_the_plain_gradient(network: Denoiser, records: Records) -> None:
    """In one portion or in several."""
    parts = drawn_parts(records, torch.arange(RECORDS), DRAWS, torch.Generator().manual_seed(2))
    plain = copy.deepcopy(network)
    (losses(plain, *(part.flatten(0, 1) for part in parts)).sum() / DRAWS).backward()
    ours = clipped_sum(record_gradients(network, _mean_loss, *parts), 1e6)
    assert all(
        torch.allclose(ours[n], w.grad, rtol=1e-3, atol=1e-4) for n, w in plain.named_parameters() if w.grad is not None
    )
    summing = partial(summed, network, records, torch.arange(RECORDS))
    assert all(part.isfinite().all() for part in summing(Settings(at_once=2), torch.Generator()).values())


def test_a_gradient_that_is_not_finite_counts_for_nothing() -> None:
    broken = {"a": torch.tensor([[1.0, 2.0], [float("nan"), 1.0], [3.0, 4.0]])}
    assert torch.allclose(clipped_sum(broken, 5.0)["a"], torch.tensor([4.0, 6.0]), rtol=1e-4)


def test_an_empty_sample_sums_to_nothing(network: Denoiser, records: Records) -> None:
    total = summed(network, records, torch.zeros(0, dtype=torch.int64), Settings(), torch.Generator())
    assert all(torch.equal(part, torch.zeros_like(part)) for part in total.values())


def test_slices_are_spread_over_the_whole_patient(records: Records) -> None:
    one = Records(records.images, records.conditions, (3,), torch.tensor([0]), torch.tensor([12]))
    places = one.some_slices(torch.tensor([0] * 2000), 4, torch.Generator().manual_seed(0))
    assert places.min() == 0
    assert places.max() == 11
    assert all((places[:, k] // 3 == k).all() for k in range(4))
    assert torch.bincount(places.flatten(), minlength=12).float().div(8000 / 12).sub(1).abs().max() < 0.1
