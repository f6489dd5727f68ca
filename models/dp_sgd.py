"""Training a network on masked attributes under differential privacy (Abadi et al., 2016), by Opacus.

Belongs here: Poisson samples of patients, clipping per patient, noise. Does not belong here: how much noise and what
it proves (``sampled_gaussian``), or training without a guarantee (``training``).

One sample is one patient. Every step takes each patient by chance, sums gradients clipped to a norm and adds Gaussian
noise. The parts of Opacus are put together here and not by its ``PrivacyEngine``, which would divide by the true
number of patients and derive the sampling rate from it. Each patient's gradient is averaged over several random masks
before it is clipped (De et al., 2022), which costs no privacy. Nothing is held back and no loss is looked at: the
number of steps is fixed beforehand, and the weights are the only thing that leaves.

The noise is torch's: floating point and a Mersenne twister. Opacus' secure mode needs a package that does not exist
for this Python, so that a table learnt this way must not be released (Mironov, 2012).
"""

import math
import warnings

import torch
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn

from models.sampled_gaussian import Plan
from models.training import Progress, Stepper, Training
from models.transformer import hidden, surprise
from records.errors import PhaseIVError

CLIPPING_NORM = 0.5
MASKS = 4
MOST_AT_ONCE = 512


def noisy_count(codes: Tensor, plan: Plan, draws: torch.Generator) -> int:
    """Number of patients with Gaussian noise, rounded."""
    noise = torch.randn((), generator=draws, dtype=torch.float64)
    return round(len(codes) + plan.count_sigma * float(noise))


def privately_trained(
    network: nn.Module, codes: Tensor, plan: Plan, *, patients: int, learning_rate: float, draws: torch.Generator,
    progress: Progress | None = None,
) -> Training:  # fmt: skip
    """Train for the plan's number of steps.

    Parameters
    ----------
    patients : int
        Noisy number of patients, by which summed gradients are divided.

    Raises
    ------
    PhaseIVError
        The weights are not finite.
    """
    guarded = GradSampleModule(network, loss_reduction="sum")
    optimiser = DPOptimizer(
        torch.optim.Adam(network.parameters(), lr=learning_rate), noise_multiplier=plan.noise_multiplier,
        max_grad_norm=CLIPPING_NORM, expected_batch_size=max(1, round(plan.sampling_rate * patients)),
        generator=draws,
    )  # fmt: skip
    stepper = Stepper(network, optimiser)  # type: ignore[arg-type]
    for step in range(plan.steps):
        chosen = torch.rand(len(codes), generator=draws, dtype=torch.float64) < plan.sampling_rate
        _noisy_step(guarded, optimiser, codes[chosen], draws)
        stepper.settle()
        if not all(bool(torch.isfinite(weights).all()) for weights in network.parameters()):
            raise PhaseIVError(f"weights must stay finite, got others at step {step + 1}; lower the learning rate")
        if progress is not None:
            progress((step + 1) / plan.steps)
    return Training(stepper.average, (), math.ceil(plan.steps * plan.sampling_rate))


def _noisy_step(guarded: GradSampleModule, optimiser: DPOptimizer, codes: Tensor, draws: torch.Generator) -> None:
    """One step on a sample of patients, who are taken in portions so that memory stays bounded."""
    portions = codes.split(MOST_AT_ONCE)
    for number, portion in enumerate(portions):
        optimiser.zero_grad()
        optimiser.signal_skip_step(number + 1 < len(portions))
        loss = surprise(guarded, portion, hidden(portion, MASKS, draws)).sum()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Full backward hook is firing")  # codes have no gradient
            loss.backward()
        optimiser.step()
