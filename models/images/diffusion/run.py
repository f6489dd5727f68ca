"""A training under way: weights, their moving average, optimiser, draws and losses, as one state that can be kept.

Belongs here: what a checkpoint must hold, and nothing else. Does not belong here: the file (``checkpoint``) or a step
(``plain``, ``private``).
"""

import copy
import math
from collections.abc import Callable
from typing import Any, cast

import torch

from models.images.diffusion.network import Denoiser
from models.training import trace
from records.errors import PhaseIVError

AVERAGING = 10  # the average weighs the last steps by about the tenth part of all (Shamir and Zhang, 2013)
Keep = Callable[[], None]


class Run:
    """The state of one training.

    Parameters
    ----------
    network : Denoiser
    draws : torch.Generator
        All chances of the training, noise included.

    Attributes
    ----------
    average : Denoiser
        Moving average of the weights: what is used.
    best : Denoiser
        The average that held-back patients liked best, without differential privacy.
    warmed, step : int
        Steps done on central images, and on patients.
    losses : list of float
    facts : dict
        Plain values that a later part of the fit needs, and must not draw again.
    """

    def __init__(self, network: Denoiser, draws: torch.Generator, learning_rate: float) -> None:
        self.network, self.draws = network, draws
        self.average, self.best = copy.deepcopy(network), copy.deepcopy(network)
        self.fresh_optimiser(learning_rate)
        self.warmed = self.step = 0
        self.losses: list[float] = []
        self.facts: dict[str, Any] = {}

    def fresh_optimiser(self, learning_rate: float) -> None:
        """Forget how steep the loss was on other images, and with other noise."""
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=learning_rate)

    def follow(self, steps: int) -> None:
        """Move the average towards the weights, ``steps`` after the average began.

        Raises
        ------
        PhaseIVError
            A weight is not finite.
        """
        if not all(bool(torch.isfinite(weights).all()) for weights in self.network.parameters()):
            shown = trace(self.losses) if self.losses else "none looked at"
            raise PhaseIVError(
                f"weights must stay finite, got others at step {steps} (losses: {shown}); lower the learning rate"
            )
        memory = steps / (steps + AVERAGING)
        for kept, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
            kept.data.lerp_(now.data, 1 - memory)

    def refuse_bad_loss(self) -> None:
        """Stop with the losses so far if the last is not finite."""
        if not math.isfinite(self.losses[-1]):
            raise PhaseIVError(f"the loss must stay finite, got {trace(self.losses)}; lower the learning rate")

    def state(self) -> dict[str, Any]:
        """All of it as tensors and plain values."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "best", "optimiser")}
        plain = {name: getattr(self, name) for name in ("warmed", "step", "losses", "facts")}
        return parts | plain | {"draws": self.draws.get_state()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        for name in ("network", "average", "best", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.warmed, self.step = cast(int, state["warmed"]), cast(int, state["step"])
        self.losses, self.facts = list(state["losses"]), dict(state["facts"])
        self.draws.set_state(state["draws"])
