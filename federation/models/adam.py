"""Adam, so that all parties come to the same weights from the same opened sums.

Belongs here: the update. Does not belong here: the sums (``training``). Only operations that IEEE 754 rounds in one way
are used, element by element, so that the weights are equal to the last bit on all processors.

References
----------
Kingma and Ba (2015), Adam: A method for stochastic optimization (ICLR).
"""

import numpy as np

BETA_1, BETA_2, SMALL = 0.9, 0.999, 1e-8


class Adam:
    """State of the optimiser over ``size`` weights."""

    def __init__(self, size: int, rate: float) -> None:
        self._rate = rate
        self._mean, self._square = np.zeros(size), np.zeros(size)
        self._left_1 = self._left_2 = 1.0

    def stepped(self, weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """The weights after one step down the gradient."""
        self._mean = BETA_1 * self._mean + (1 - BETA_1) * gradient
        self._square = BETA_2 * self._square + (1 - BETA_2) * (gradient * gradient)
        self._left_1 *= BETA_1
        self._left_2 *= BETA_2
        spread = np.sqrt(self._square / (1 - self._left_2)) + SMALL
        return weights - self._rate * ((self._mean / (1 - self._left_1)) / spread)
