"""DP-SGD on patients: Poisson samples, one clipped gradient per patient, Gaussian noise (Abadi et al., 2016).

Belongs here: a step and the loop. Does not belong here: how much noise (``plan``) or gradients (``record_gradients``).

A patient is one record with all slices. In each step the gradient is averaged over several draws of slice, noise
level and noise before it is clipped, which costs no privacy (De et al., 2022; Dockhorn et al., 2023). No loss is
looked at: the number of steps is fixed beforehand.

The noise is torch's: floating point and a generator that is not cryptographic, so that images learnt this way must
not be released (Mironov, 2012).
"""

import torch
from torch import Tensor, nn

from models.images.diffusion.central import draws_type
from models.images.diffusion.denoising import Network, losses, noise_levels
from models.images.diffusion.encoding import Records, partly_hidden
from models.images.diffusion.network import Denoiser
from models.images.diffusion.plan import Plan
from models.images.diffusion.precision import mixed
from models.images.diffusion.record_gradients import clipped_sum, record_gradients
from models.images.diffusion.run import Keep, Run
from models.images.diffusion.settings import Settings
from models.training import Progress


def noisy_count(records: Records, plan: Plan, draws: torch.Generator) -> int:
    """Number of patients with Gaussian noise, rounded."""
    noise = torch.randn((), generator=draws, device=draws.device, dtype=draws_type(draws))
    return round(len(records) + plan.count_sigma * float(noise))


def privately_trained(
    run: Run, records: Records, plan: Plan, settings: Settings, *, patients: int, keep: Keep,
    progress: Progress | None = None,
) -> Denoiser:  # fmt: skip
    """Train for the plan's number of steps; the moving average of the weights.

    Parameters
    ----------
    patients : int
        Noisy number of patients, by which summed gradients are divided.

    Raises
    ------
    PhaseIVError
        The weights are not finite.
    """
    expected = max(1.0, plan.sampling_rate * patients)
    if run.step == 0:
        run.fresh_optimiser(settings.learning_rate)
    while run.step < plan.steps:
        chosen = sampled(len(records), plan.sampling_rate, run.draws)
        total = summed(run.network, records, chosen, settings, run.draws)
        for name, weights in run.network.named_parameters():
            noise = torch.randn(weights.shape, generator=run.draws, device=weights.device)
            deviation = plan.noise_multiplier * settings.clipping_norm
            weights.grad = (total[name] + deviation * noise) / expected
        run.optimiser.step()
        run.step += 1
        run.follow(run.step)
        keep()
        if progress is not None:
            progress(run.step / plan.steps)
    return run.average


def sampled(patients: int, rate: float, draws: torch.Generator) -> Tensor:
    """Each patient by chance, independently."""
    chance = torch.rand(patients, generator=draws, device=draws.device, dtype=draws_type(draws))
    return (chance < rate).nonzero()[:, 0]


def summed(
    network: nn.Module, records: Records, patients: Tensor, settings: Settings, draws: torch.Generator
) -> dict[str, Tensor]:  # fmt: skip
    """Sum of the patients' clipped gradients by name of weight, in portions so that memory stays bounded."""
    total = {name: torch.zeros_like(weights) for name, weights in network.named_parameters()}
    for portion in patients.split(settings.at_once):
        if not len(portion):
            continue
        parts = drawn_parts(records, portion, settings.draws, draws)
        with mixed(records.images.device):
            gradients = record_gradients(network, _mean_loss, *parts)
        for name, part in clipped_sum(gradients, settings.clipping_norm).items():
            total[name] += part
    return total


def drawn_parts(records: Records, patients: Tensor, count: int, draws: torch.Generator) -> tuple[Tensor, ...]:
    """Images, noise, noise levels and conditions of some draws of each patient, [patients, count, ...]."""
    places = records.some_slices(patients, count, draws)
    images = records.images[places]
    noise = torch.randn(images.shape, generator=draws, device=draws.device)
    level = noise_levels(places.numel(), draws).view(places.shape)
    known = partly_hidden(records.conditions[places.flatten()], records.widths, draws)
    return images, noise, level, known.view(*places.shape, -1)


def _mean_loss(
    network: Network, images: Tensor, noise: Tensor, level: Tensor, known: Tensor
) -> Tensor:  # fmt: skip
    """Mean over one patient's draws."""
    return losses(network, images, noise, level, known).mean()
