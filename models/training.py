"""Training a network on masked attributes, without differential privacy, until held-back patients say stop.

Belongs here: optimiser, moving average of weights, early stopping. Does not belong here: the network
(``transformer``) or private training (``dp_sgd``).
"""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.transformer import hidden, surprise
from records.errors import PhaseIVError

HELD_BACK = 0.1
HELD_BACK_MASKS = 8
PATIENCE = 10
FEWEST_STEPS = 20
WARM_UP_STEPS = 50
AVERAGING = 10  # the average weighs the last steps by about the tenth part of all (Shamir and Zhang, 2013)
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Training:
    """What became of a training: the network to use and what its epochs looked like.

    Parameters
    ----------
    network : torch.nn.Module
    losses : tuple of float
        Mean negative log-likelihood (nats) of a hidden attribute of held-back patients: before training, then after
        each epoch. Under differential privacy nothing is held back and it is empty.
    epochs : int
        How many were run.
    """

    network: nn.Module
    losses: tuple[float, ...]
    epochs: int


def trained(
    network: nn.Module, codes: Tensor, *, epochs: int, batch_size: int, learning_rate: float, draws: torch.Generator,
    progress: Progress | None = None,
) -> Training:  # fmt: skip
    """Train until the loss of held-back patients (a tenth) has not fallen for 10 epochs, and keep the best weights.

    A moving average of the weights is judged and kept. Small tables take smaller batches, so that an epoch has at
    least 20 steps.

    Raises
    ------
    PhaseIVError
        The loss is not a number, or never fell below that of equally likely levels.
    """
    order = torch.randperm(len(codes), generator=draws)
    held_back, learnt = codes[order].split([kept := math.ceil(HELD_BACK * len(codes)), len(codes) - kept])
    shown = hidden(held_back, HELD_BACK_MASKS, draws)
    size = max(1, min(batch_size, len(learnt) // FEWEST_STEPS))
    stepper = Stepper(network, torch.optim.AdamW(network.parameters(), lr=learning_rate))
    losses, best = [_judged(network, held_back, shown)], copy.deepcopy(network)
    while len(losses) <= epochs and len(losses) - losses.index(min(losses)) <= PATIENCE:
        for batch in torch.randperm(len(learnt), generator=draws).split(size):
            stepper.down(surprise(network, learnt[batch], hidden(learnt[batch], 1, draws)).mean())
        losses.append(_judged(stepper.average, held_back, shown))
        if not math.isfinite(losses[-1]):
            raise PhaseIVError(f"the loss must stay finite, got {trace(losses)}; lower the learning rate")
        if losses[-1] == min(losses):
            best = copy.deepcopy(stepper.average)
        if progress is not None:
            progress((len(losses) - 1) / epochs)
    if min(losses) == losses[0]:
        raise PhaseIVError(
            f"training must lower the loss of held-back patients, got {trace(losses)}; lower the learning rate, "
            "train for more epochs or add patients"
        )
    return Training(best, tuple(losses), len(losses) - 1)


class Stepper:
    """An optimiser with a warm-up, and the moving average of the weights that it walks through."""

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.network = network
        self.average = copy.deepcopy(network)
        self.optimiser = optimiser
        self.full_rate = optimiser.param_groups[0]["lr"]
        self.steps = 0

    def down(self, loss: Tensor) -> None:
        """One step along the gradient of ``loss``, clipped at norm 1."""
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.settle()

    def settle(self) -> None:
        """Count a step: raise the rate while it warms up and follow the weights."""
        self.steps += 1
        for group in self.optimiser.param_groups:
            group["lr"] = self.full_rate * min(1.0, (self.steps + 1) / WARM_UP_STEPS)
        memory = self.steps / (self.steps + AVERAGING)
        for kept, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
            kept.data.lerp_(now.data, 1 - memory)


@contextmanager
def one_thread() -> Iterator[None]:
    """Small networks are fastest in one thread, and sums then do not depend on the machine's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def trace(losses: list[float]) -> str:
    """Losses as words, at most ten of them."""
    shown = losses[:: max(1, len(losses) // 10)]
    return ", ".join(f"{loss:.3f}" for loss in shown)


def _judged(network: nn.Module, codes: Tensor, shown: Tensor) -> float:
    with torch.no_grad():
        return float(surprise(network, codes, shown).mean())
