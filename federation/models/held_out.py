"""How well public weights tell the outcome of patients that no site trained on, over all sites together.

Belongs here: area under the curve, Brier score and log loss from risks at each site. Does not belong here: risks, or the
training.

Without differential privacy patients are counted by bins of their log-odds on shares; the area is one product of shares.
Opened are the area, two sums and the numbers with and without the outcome, each at least the job's minimum count. Nothing
is opened of one site or one bin. With it the counts of fewer bins are opened with noise, and all figures are read off them.

References
----------
Hanley and McNeil (1982), The meaning and use of the area under a ROC curve. Brier (1950), Verification of forecasts.
"""

from typing import Any

import numpy as np

from federation.field import matmul
from federation.jobs.job import Job
from federation.noise import Drawers, gaussian_part
from federation.protocols.noisy import sigma_for
from federation.protocols.suppression import SUPPRESSED, Left, left_out, opened_counts
from federation.runtime import Runtime

# Log-odds have bins of one width between -farthest and farthest; what is beyond counts in the last ones.
EXACT_BINS, EXACT_FARTHEST = 512, 8.0
NOISY_BINS, NOISY_FARTHEST = 32, 4.0
BITS = 24
RISK_FLOOR = 1e-12
WHAT = "the evaluation: patients with or without the outcome"

Found = tuple[dict[str, Any] | None, list[Left]]


async def evaluated(rt: Runtime, job: Job, risk: np.ndarray, label: np.ndarray) -> Found:
    """Figures over all held-out patients; ``None`` where too few have or lack the outcome."""
    counts = counted(risk, label, EXACT_BINS, EXACT_FARTHEST)
    chance = np.clip(risk, RISK_FLOOR, 1 - RISK_FLOOR)
    losses = [((risk - label) ** 2).sum(), -np.log(np.where(label > 0, chance, 1 - chance)).sum()]
    own = np.concatenate([counts.ravel(), np.rint(np.array(losses) * 2.0**BITS)]).astype(np.int64)
    shares = await rt.input_sum(own, own.shape)
    without, having = shares[:-2].reshape(2, EXACT_BINS)
    totals = matmul(shares[:-2].reshape(2, EXACT_BINS), np.ones((EXACT_BINS, 1), np.uint64)).ravel()
    numbers = await opened_counts(rt, totals, max(job.minimum_count, 1))
    if (numbers == SUPPRESSED).any() or not numbers.all():
        return None, [left_out(WHAT, job)]
    won = matmul(without[None, :], _beaten(EXACT_BINS))
    pairs = await rt.inner(having[None, :], won.T)
    opened = await rt.open(np.concatenate([pairs.ravel(), shares[-2:]]))
    return _told(numbers, int(opened[0]), *(opened[1:] / 2.0**BITS)), []


async def noisily_evaluated(rt: Runtime, job: Job, rho: float, risk: np.ndarray, label: np.ndarray) -> Found:
    """The same from counts with noise that costs ``rho``: one held-out patient is in one bin."""
    drawers, own = Drawers(rt.parties, job.colluding), counted(risk, label, NOISY_BINS, NOISY_FARTHEST)
    noise = gaussian_part(own.shape, sigma_for(rho, [own.size], drawers), drawers)
    without, having = await rt.open(await rt.input_sum(own + noise, own.shape))
    numbers = np.array([without.sum(), having.sum()])
    if numbers.min() < max(job.minimum_count, 1):
        return None, [left_out(WHAT, job)]
    won = int(without @ _beaten(NOISY_BINS).astype(np.int64) @ having)
    middle = 1 / (1 + np.exp(-_middles()))
    brier = float(without @ middle**2 + having @ (1 - middle) ** 2)
    loss = -float(without @ np.log(1 - middle) + having @ np.log(middle))
    return _told(numbers, won, max(brier, 0.0), max(loss, 0.0)), []


def counted(risk: np.ndarray, label: np.ndarray, bins: int, farthest: float) -> np.ndarray:
    """Patients by bin of their log-odds, shape (2, bins): without the outcome, with it."""
    chance = np.clip(risk, RISK_FLOOR, 1 - RISK_FLOOR)
    place = np.floor((np.log(chance / (1 - chance)) + farthest) * (bins / (2 * farthest)))
    code = np.clip(place, 0, bins - 1).astype(np.int64) + bins * (label > 0)
    return np.bincount(code, minlength=2 * bins).reshape(2, bins)


def _beaten(bins: int) -> np.ndarray:
    """What the number in a bin (row) adds to the pairs won by one patient in a bin (column): ties count a half of 2."""
    return np.triu(np.full((bins, bins), 2, np.uint64), 1) + np.eye(bins, dtype=np.uint64)


def _middles() -> np.ndarray:
    return (np.arange(NOISY_BINS) + 0.5) * (2 * NOISY_FARTHEST / NOISY_BINS) - NOISY_FARTHEST


def _told(numbers: np.ndarray, won: int, brier: float, loss: float) -> dict[str, Any]:
    without, having = numbers.tolist()
    auc = min(max(won / (2 * without * having), 0.0), 1.0)
    figures = {"auc": auc, "brier": float(brier) / (without + having), "log_loss": float(loss) / (without + having)}
    return {"patients": without + having, "events": having, **figures}
