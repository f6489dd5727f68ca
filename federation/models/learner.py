"""What a network is to the federation: weights as one flat array, and sums over a site's patients.

Belongs here: the contract between a training and the network that a site brings along, and the description from which
every site builds the same one. Does not belong here: networks (assembled outside this package), or the training
(``training``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from records.schema import Column, Outcome, Schema


@dataclass(frozen=True)
class LearningTask:
    """Which outcome a network of ``hidden`` units tells from which columns, and where it starts.

    Parameters
    ----------
    hidden : int
        0 is a logistic regression.
    seed : int
        Of the first weights, which are public.
    prior : float
        Share of patients with the outcome as the researcher expects it; risks start there.
    """

    schema: Schema
    outcome: Outcome
    covariates: tuple[Column, ...]
    hidden: int
    seed: int
    prior: float = 0.5

    @property
    def first_offset(self) -> float:
        """Log-odds at which risks start, without the digits in which processors differ."""
        return round(math.log(self.prior / (1 - self.prior)), 6)


class Learner(Protocol):
    """A network at one site. Training and held-out patients are different ones.

    On which side a patient is must depend on that patient alone: what a job costs rests on it.
    """

    @property
    def size(self) -> int:
        """Number of weights."""
        ...

    @property
    def patients(self) -> int:
        """Training patients whose outcome is known."""
        ...

    @property
    def architecture(self) -> Mapping[str, Any]:
        """What one must know to use the weights, in plain values."""
        ...

    def start(self) -> np.ndarray:
        """The first weights, the same at all sites."""
        ...

    def loss_gradient(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Sums of the loss and of its gradient over training patients."""
        ...

    def clipped(self, weights: np.ndarray, clip: float, units: int) -> np.ndarray:
        """Sum of patients' gradients, each cut to norm ``clip`` and told in whole numbers of norm at most ``units``."""
        ...

    def risks(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chance of the outcome for each held-out patient, and whether it came (0 or 1)."""
        ...
