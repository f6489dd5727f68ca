"""Noise levels, the loss of taking noise away, and drawing images out of noise.

Belongs here: the diffusion process. Does not belong here: the network (``network``) or what its images mean
(``encoding``).

References
----------
Karras et al. (2022), Elucidating the design space of diffusion-based generative models, Table 1: scaling of input,
output and loss by noise level. Song, Meng and Ermon (2021), Denoising diffusion implicit models: the drawing, without
fresh noise. Ho and Salimans (2022), Classifier-free diffusion guidance.
"""

from collections.abc import Callable

import torch
from torch import Tensor

DATA_DEVIATION = 0.5  # of pixels in -1 to 1
LEVEL_MEAN, LEVEL_DEVIATION = -0.4, 1.3  # of the logarithm; above Karras' -1.2, since noise hides fine detail anyway
LOWEST, HIGHEST = 0.01, 40.0
CURVE = 7
Network = Callable[[Tensor, Tensor, Tensor], Tensor]


def noise_levels(count: int, draws: torch.Generator) -> Tensor:
    """Noise levels for training, log-normal, shape [count]."""
    normal = torch.randn(count, generator=draws, device=draws.device)
    return (LEVEL_MEAN + LEVEL_DEVIATION * normal).exp().clamp(LOWEST, HIGHEST)


def denoised(network: Network, noisy: Tensor, level: Tensor, conditions: Tensor) -> Tensor:
    """The network's estimate of the clean images."""
    entering, kept, corrected = _scales(level)
    return kept * noisy + corrected * network(entering * noisy, level.log() / 4, conditions).float()


def losses(network: Network, clean: Tensor, noise: Tensor, level: Tensor, conditions: Tensor) -> Tensor:
    """Squared error by image, weighted so that all noise levels weigh alike.

    Parameters
    ----------
    clean, noise : torch.Tensor of float, [n, c, h, w]
        Noise of unit variance.
    level : torch.Tensor of float, [n]
    conditions : torch.Tensor of float, [n, k]

    Returns
    -------
    torch.Tensor of float, [n]
        1 for a network that knows nothing but the deviation of pixels.
    """
    entering, kept, corrected = _scales(level)
    noisy = clean + level[:, None, None, None] * noise
    guess = network(entering * noisy, level.log() / 4, conditions).float()
    return (guess - (clean - kept * noisy) / corrected).square().mean((1, 2, 3))


def drawn(
    network: Network, conditions: Tensor, shape: tuple[int, int, int], *, steps: int, guidance: float,
    draws: torch.Generator,
) -> Tensor:  # fmt: skip
    """Images out of noise, [n, c, h, w].

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height, width.
    steps : int
        Evaluations of the network; two each with guidance.
    guidance : float
        0 for the condition as learnt; above, images are pushed further from those without a condition.
    """
    levels = falling(steps).to(conditions.device)
    images = levels[0] * torch.randn(len(conditions), *shape, generator=draws, device=conditions.device)
    for level, following in zip(levels[:-1], levels[1:], strict=True):
        every = level.expand(len(images))
        clean = denoised(network, images, every, conditions)
        if guidance:
            clean = clean + guidance * (clean - denoised(network, images, every, torch.zeros_like(conditions)))
        clean = clean.clamp(-1, 1)
        images = clean + following / level * (images - clean)
    return images


def falling(steps: int) -> Tensor:
    """Noise levels from the highest to the lowest, dense where they are low, then 0, shape [steps + 1]."""
    ends = torch.tensor([HIGHEST, LOWEST]) ** (1 / CURVE)
    return torch.cat([torch.lerp(ends[0], ends[1], torch.linspace(0, 1, steps)) ** CURVE, torch.zeros(1)])


def _scales(level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Factors of the network's input, of the noisy image that is kept, and of the network's output."""
    level = level[:, None, None, None]
    total = (level.square() + DATA_DEVIATION**2).sqrt()
    return 1 / total, (DATA_DEVIATION / total).square(), level * DATA_DEVIATION / total
