r"""Differentially private access to real test data: one number about a score, for a stated budget.

Belongs here: the AUC of a given score from noisy counts. Does not belong here: mechanisms (the noise comes in as a
callable), the ledger that is debited, or training. The score must not have been trained on the test patients, and its
grid must be public.

The patients are counted by class and by cell of a fixed grid of scores. A patient added or removed changes one count by
one, so Gaussian noise of scale :math:`\sigma = 1 / \sqrt{2 \rho}` on every count costs :math:`\rho` in zCDP, and all that
follows costs nothing. The AUC is that of the score rounded to the grid. Its interval comes from simulation: tables are
drawn from the noisy estimate, noise is added again, and the spread of their AUC about their own truth is taken off the
estimate; so it covers the luck of the patients and of the noise.

References
----------
Movahedi et al., 2024, "Evaluating classifiers trained on differentially private synthetic health data".
Bun and Steinke, 2016, TCC (zCDP).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.plain import plain
from records.errors import ParameterError

Noise = Callable[[float, int], np.ndarray]

CELLS = 25
SIMULATIONS = 2000
FEWEST_SIGNAL_TO_NOISE = 3.0
NEIGHBOURING = "add or remove one patient"


@dataclass(frozen=True)
class PrivateAuc:
    """A differentially private AUC; ``None`` where noise drowns it, and ``reason`` says so.

    Parameters
    ----------
    auc, auc_lower, auc_upper : float or None
        0 to 1, with a simulated 95 % interval.
    positives, negatives : float
        Noisy numbers of test patients of each class.
    spend : mapping
        ``mechanism``, ``purpose``, ``rho``, ``sigma``, ``queries``, ``neighbouring``: plain values for the ledger.
    """

    auc: float | None
    auc_lower: float | None
    auc_upper: float | None
    positives: float
    negatives: float
    cells: int
    reason: str | None
    spend: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def private_auc(
    score: np.ndarray,
    label: np.ndarray,
    *,
    rho: float,
    noise: Noise,
    rng: np.random.Generator,
    edges: np.ndarray | None = None,
    simulations: int = SIMULATIONS,
) -> PrivateAuc:
    """AUC of a score on real test patients under zCDP.

    Parameters
    ----------
    score : numpy.ndarray of float, shape (patients,)
        One row per patient, 0 to 1; what lies outside or is NaN is moved to the nearest end (an error would tell).
    label : numpy.ndarray of bool, shape (patients,)
    rho : float
        Budget in zCDP, > 0.
    noise : callable
        ``noise(sigma, size)`` draws independent (discrete) Gaussian noise, for a release from secure randomness.
    rng : numpy.random.Generator
        Of the simulation, which touches no patient.
    edges : numpy.ndarray of float, shape (cells + 1,), or None
        Public grid from 0 to 1; 25 equal cells by default. Quantiles of the score on a released synthetic table are
        public too and serve rare outcomes better; quantiles of the test patients are not.

    Raises
    ------
    ParameterError
        The budget is not positive, the grid does not rise from 0 to 1, or the lengths differ.
    """
    grid = np.linspace(0, 1, CELLS + 1) if edges is None else np.asarray(edges, dtype=float)
    _check(score, label, rho, grid)
    sigma, cells = float(np.sqrt(1 / (2 * rho))), grid.size - 1
    noisy = class_counts(score, label, grid) + noise(sigma, 2 * cells).reshape(2, cells)
    totals = noisy.sum(axis=1)
    drowned = bool((totals < FEWEST_SIGNAL_TO_NOISE * sigma * np.sqrt(cells)).any())
    found = (None, None, None) if drowned else _interval(noisy, sigma, simulations, rng)
    return PrivateAuc(
        *found,
        positives=float(totals[1]),
        negatives=float(totals[0]),
        cells=cells,
        reason="the noise is too large for so few patients of a class; a larger rho is needed" if drowned else None,
        spend={
            "mechanism": "gaussian",
            "purpose": "test AUC from counts by class and score",
            "rho": rho,
            "sigma": sigma,
            "queries": 2 * cells,
            "neighbouring": NEIGHBOURING,
        },
    )


def class_counts(score: np.ndarray, label: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Exact counts of negatives and positives per cell, shape (2, cells); every patient is in one cell."""
    cell = np.searchsorted(grid[1:-1], np.nan_to_num(score, nan=0.0), side="right")
    cells = grid.size - 1
    return np.bincount(label.astype(np.int64) * cells + cell, minlength=2 * cells).reshape(2, cells).astype(float)


def auc_of_counts(counts: np.ndarray) -> np.ndarray:
    """AUC of counts of negatives and positives per cell, ties counted half.

    Parameters
    ----------
    counts : numpy.ndarray of float, shape (..., 2, cells)
        May be negative by noise.
    """
    negative, positive = counts[..., 0, :], counts[..., 1, :]
    below = np.cumsum(negative, axis=-1) - negative / 2
    pairs = negative.sum(axis=-1) * positive.sum(axis=-1)
    return np.divide((positive * below).sum(axis=-1), pairs, out=np.full(pairs.shape, np.nan), where=pairs != 0)


def _interval(
    noisy: np.ndarray, sigma: float, simulations: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Estimate with its simulated (basic) interval, within 0 to 1."""
    estimate = float(auc_of_counts(noisy))
    cells = noisy.shape[1]
    likely = np.maximum(noisy, 0) + 1e-12
    likely *= noisy.sum(axis=1, keepdims=True) / likely.sum(axis=1, keepdims=True)
    size = round(float(likely.sum()))
    drawn = rng.multinomial(size, (likely / likely.sum()).ravel(), size=simulations).reshape(-1, 2, cells)
    errors = auc_of_counts(drawn + rng.normal(0, sigma, drawn.shape)) - float(auc_of_counts(likely))
    low, high = np.nanquantile(errors, [0.025, 0.975])
    value, lower, upper = np.clip([estimate, estimate - high, estimate - low], 0.0, 1.0)
    return float(value), float(lower), float(upper)


def _check(score: np.ndarray, label: np.ndarray, rho: float, grid: np.ndarray) -> None:
    if not rho > 0:
        raise ParameterError(f"rho must be positive, got {rho}; give the part of the budget that this test may take")
    if grid.size < 3 or grid[0] != 0 or grid[-1] != 1 or (np.diff(grid) <= 0).any():
        raise ParameterError(f"edges must rise from 0 to 1 in 2 cells or more, got {grid.size} edges; mend the grid")
    if score.shape != label.shape or score.ndim != 1:
        raise ParameterError(f"score and label must have one entry per patient, got {score.shape} and {label.shape}; "
                             "predict every test patient once")  # fmt: skip
