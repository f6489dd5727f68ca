"""The diffusion process against what is known in closed form, and the network's shapes."""

import pytest
import torch
from torch import Tensor

from models.images.diffusion.denoising import HIGHEST, LOWEST, denoised, drawn, falling, losses, noise_levels
from models.images.diffusion.network import Denoiser, started

MEAN, DEVIATION = 0.2, 0.1


def ideal(images: Tensor, levels: Tensor, _: Tensor) -> Tensor:
    """What a perfect network answers if pixels are independently normal: the posterior mean, turned inside out."""
    level = (4 * levels).exp()[:, None, None, None]
    total = (level.square() + 0.25).sqrt()
    noisy = images * total
    clean = (DEVIATION**2 * noisy + level**2 * MEAN) / (DEVIATION**2 + level**2)
    return (clean - 0.25 / total.square() * noisy) / (level * 0.5 / total)


def test_a_perfect_network_draws_the_distribution() -> None:
    draws = torch.Generator().manual_seed(0)
    made = drawn(ideal, torch.zeros(500, 1), (1, 4, 4), steps=60, guidance=0, draws=draws)
    assert float(made.mean()) == pytest.approx(MEAN, abs=0.005)
    assert float(made.std()) == pytest.approx(DEVIATION, rel=0.05)


def test_a_perfect_network_takes_noise_away() -> None:
    draws = torch.Generator().manual_seed(0)
    clean = MEAN + DEVIATION * torch.randn(2000, 1, 4, 4, generator=draws)
    level = torch.full((2000,), 0.2)
    noisy = clean + 0.2 * torch.randn(clean.shape, generator=draws)
    left = (denoised(ideal, noisy, level, torch.zeros(2000, 1)) - clean).square().mean()
    assert float(left) == pytest.approx(1 / (1 / DEVIATION**2 + 1 / 0.2**2), rel=0.05)


def test_loss_is_one_for_a_network_that_knows_only_the_deviation() -> None:
    draws = torch.Generator().manual_seed(0)
    clean = 0.5 * torch.randn(4000, 1, 4, 4, generator=draws)
    noise = torch.randn(clean.shape, generator=draws)
    level = noise_levels(4000, draws)
    found = losses(lambda x, *_: torch.zeros_like(x), clean, noise, level, torch.zeros(4000, 1))
    assert found.shape == (4000,)
    assert float(found.mean()) == pytest.approx(1, rel=0.02)


def test_guidance_moves_images_further_along_the_condition() -> None:
    def shifted(images: Tensor, levels: Tensor, known: Tensor) -> Tensor:
        return ideal(images, levels, known) + 0.3 * known[:, :1, None, None]

    def mean(guidance: float) -> float:
        draws = torch.Generator().manual_seed(0)
        return float(drawn(shifted, torch.ones(50, 1), (1, 4, 4), steps=20, guidance=guidance, draws=draws).mean())

    assert mean(0) < mean(1) < mean(2)


def test_levels_fall_from_the_highest_to_nothing() -> None:
    levels = falling(10)
    assert levels.shape == (11,)
    assert torch.allclose(levels[[0, -2, -1]], torch.tensor([HIGHEST, LOWEST, 0.0]))
    assert bool((levels.diff() < 0).all())
    assert torch.isfinite(falling(1)).all()


@pytest.mark.parametrize(
    ("size", "grid", "fold"),
    [((28, 28), 16, 2), ((32, 32), 16, 2), ((64, 64), 16, 4), ((9, 30), 16, 2), ((8, 8), 16, 1)],
)
def test_the_network_takes_any_size(size: tuple[int, int], grid: int, fold: int) -> None:
    network = started(Denoiser(2, size, 3, width=8, grid=grid), torch.Generator().manual_seed(0))
    assert network.fold == fold
    out = network(torch.randn(3, 2, *size), torch.zeros(3), torch.eye(3))
    assert out.shape == (3, 2, *size)
    assert not out.any()  # fresh weights correct nothing
