"""Newton's method on sums over parties: each iteration opens one gradient and one Hessian.

Belongs here: fixed point of a party's part, the iteration, and how coefficients are told. Does not belong here: what the
likelihood is (``logistic``, ``cox``).

Every party computes its part at the current coefficients, which all know; the sum is opened, so that all take the same
step. What is opened, pooled sums over at least the job's minimum count of patients, is more than the final coefficients.
The pooled maximum is reached up to the fixed point of 2^-28.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from federation.jobs.steps import Steps
from federation.protocols.tails import NORMAL_95, normal_two_sided
from federation.runtime import Runtime
from records.errors import ParameterError

BITS = 28
MOST_ITERATIONS = 30
MOST_COLUMNS = 200
FINISHED = 1e-9  # of the gradient, per patient
SHORT = 1e-3
_LARGEST = 2.0**58


class Part(NamedTuple):
    """Log-likelihood, gradient and negative Hessian."""

    value: float
    gradient: np.ndarray
    curvature: np.ndarray


class Fit(NamedTuple):
    """The maximum: coefficients, their covariance, the log-likelihood and the number of iterations."""

    coefficients: np.ndarray
    covariance: np.ndarray
    value: float
    iterations: int


async def maximised(
    pooled: Callable[[np.ndarray], Awaitable[Part]], size: int, patients: int, steps: Steps, *, finished: float = FINISHED
) -> Fit:  # fmt: skip
    """The maximum of a concave function from 0.

    Raises
    ------
    ParameterError
        There is no finite maximum, or columns are linearly dependent.
    """
    current = np.zeros(size)
    best = await pooled(current)
    for iteration in range(1, MOST_ITERATIONS + 1):
        steps.tell(f"iteration {iteration}")
        move = _step(best, patients)
        flat = float(np.abs(best.gradient).max()) <= max(patients * finished, 1e-7)
        # Where there is no maximum the gradient vanishes too, but the steps stay long.
        if flat and float(np.abs(move).max()) <= SHORT:
            return Fit(current, np.linalg.inv(best.curvature), best.value, iteration)
        part = await pooled(current + move)
        while part.value < best.value - 1e-6 * (1 + abs(best.value)) and float(np.abs(move).max()) > 1e-6:
            move = move / 2
            part = await pooled(current + move)
        current, best = current + move, part
    raise _no_maximum(size, patients)


def summed_over_parties(
    rt: Runtime, part: Callable[[np.ndarray], Part], size: int
) -> Callable[[np.ndarray], Awaitable[Part]]:
    """The opened sum of all parties' parts."""
    if size > MOST_COLUMNS:
        raise ParameterError(f"a model must have at most {MOST_COLUMNS} columns, got {size}; leave some out")
    upper = np.triu_indices(size)

    async def pooled(coefficients: np.ndarray) -> Part:
        own = part(coefficients)
        flat = np.concatenate([[own.value], own.gradient, own.curvature[upper]]) * 2.0**BITS
        # A party whose part is out of range says so at the same place as all others: by a sum that no fit reaches.
        whole = np.rint(np.clip(np.nan_to_num(flat, nan=_LARGEST), -_LARGEST, _LARGEST)).astype(np.int64)
        opened = (await rt.open(await rt.input_sum(whole, whole.shape))) / 2.0**BITS
        curvature = np.zeros((size, size))
        curvature[upper] = opened[1 + size :]
        return Part(float(opened[0]), opened[1 : 1 + size], curvature + np.triu(curvature, 1).T)

    return pooled


def coefficient_rows(names: Sequence[str], estimates: np.ndarray, covariance: np.ndarray) -> list[dict[str, Any]]:
    """A table of coefficients with standard errors, Wald tests and 95% intervals of the ratio."""
    rows = []
    for name, estimate, error in zip(names, estimates, np.sqrt(np.diag(covariance)), strict=True):
        low, high = estimate - NORMAL_95 * error, estimate + NORMAL_95 * error
        rows.append(
            {
                "name": name, "coefficient": float(estimate), "se": float(error), "ratio": _exp(estimate),
                "lower": _exp(low), "upper": _exp(high), "p_value": normal_two_sided(float(estimate / error)),
            }
        )  # fmt: skip
    return rows


def _exp(value: float) -> float:
    return float(np.exp(min(value, 700.0)))


def _step(part: Part, patients: int) -> np.ndarray:
    try:
        np.linalg.cholesky(part.curvature)
        return np.linalg.solve(part.curvature, part.gradient)
    except np.linalg.LinAlgError:
        raise _no_maximum(len(part.gradient), patients) from None


def _no_maximum(size: int, patients: int) -> ParameterError:
    return ParameterError(
        f"a model of {size} coefficients must have one finite maximum over the {patients} patients whose columns are all "
        "known, got none: columns tell the outcome surely or tell each other; leave columns out, often missing ones first"
    )
