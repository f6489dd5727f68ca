"""Training of a network over hospitals in one job: each round opens one sum over all patients, and nothing of a hospital.

Belongs here: the rounds at one party, what they cost, and the result. Does not belong here: the network (``learner``),
the optimiser (``adam``) or the evaluation (``held_out``).

In a round each party sums the gradients of its training patients at the common weights. The sum over parties is opened and
all take the same step of Adam, which is what pooled training on all patients at once does, up to the fixed point of 2^-28.
No weights travel: they follow from the opened sums. What is opened is a sum over at least the job's minimum count of
patients, but many sums together may tell much about few patients; a job with a rho is the remedy.

With a rho, each patient's gradient is cut to norm ``clip`` and told in whole numbers, towards zero, so that its norm never
grows: one patient, added or removed, moves the sum by at most ``UNITS`` in L2 norm, without the square root of the number of
weights that rounding the sum would add. Other patients' gradients depend on them alone, but for the last bits of batched
floating point, which may turn a coordinate by one where it lies within 1e-10 of a whole number (about one coordinate of
10^9); ``ROUNDING`` allows for 4,096 of them at once. The scale of noise follows from the rho and the rounds: all
patients are in every round, so costs add up as they are, without subsampling. A rare outcome needs the parameter ``prior``, its
share as known beforehand: otherwise the first rounds go into learning it.
The number of patients is not used: Adam takes the same steps whatever the gradient is divided by. Loss is not told.

Held-out patients are other patients, and on which side a patient is depends on that patient alone. So a patient pays
either for the training or for the evaluation: both may cost the whole rho (parallel composition). The weights are the mean
of the later half of the rounds, which noise costs less (Polyak and Juditsky, 1992) and which is free.

References
----------
McMahan et al. (2017), Communication-efficient learning of deep networks from decentralized data (AISTATS). Bonawitz et al.
(2017), Practical secure aggregation (CCS). Abadi et al. (2016), Deep learning with differential privacy (CCS). Kairouz, Liu
and Steinke (2021), The distributed discrete Gaussian mechanism (ICML). McSherry (2009), Privacy integrated queries
(parallel composition).
"""

import asyncio
import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.models.adam import Adam
from federation.models.held_out import evaluated, noisily_evaluated
from federation.models.learner import Learner, LearningTask
from federation.models.logistic import outcome_and_covariates
from federation.noise import Drawers, gaussian_part, gaussian_rho
from federation.protocols.patients import patients
from federation.protocols.suppression import SUPPRESSED, Result, answer, left_out, opened_counts
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError

BITS = 28  # of losses and gradients without privacy
UNITS = 1 << 16  # of a cut gradient's norm
ROUNDING = 64
SENSITIVITY = UNITS + ROUNDING
MOST_WEIGHTS = 100_000
_LARGEST = 2.0**54
OPENED = "pooled loss and gradient at each round; pooled figures of held-out patients"
OPENED_NOISY = "pooled gradient with noise at each round; pooled counts of held-out patients' risks with noise"


@dataclass(frozen=True)
class Plan:
    """What the job's parameters ask for."""

    hidden: int
    rounds: int
    rate: float
    clip: float
    seed: int
    prior: float

    @classmethod
    def of(cls, job: Job) -> "Plan":
        """Checked parameters with their defaults."""
        if job.rho is None and "clip" in job.parameters:
            raise ParameterError("clip must be for a job with a rho, got none; leave clip out, or declare a rho")
        return cls(
            hidden=_whole(job, "hidden", 16, 0, 512), rounds=_whole(job, "rounds", 60, 1, 1000),
            rate=_number(job, "rate", 0.05, 1.0), clip=_number(job, "clip", 1.0, 1e6),
            seed=_whole(job, "seed", 0, 0, 2**31), prior=_number(job, "prior", 0.5, 1 - 1e-6),
        )  # fmt: skip


async def training(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """A network for the outcome (as in ``logistic``) from all other columns, evaluated on held-out patients."""
    held, plan = await patients(rt, site, job), Plan.of(job)
    outcome, covariates = outcome_and_covariates(held, job)
    if not covariates:
        raise ParameterError("a model must have covariates, got none; name columns beside the outcome's")
    task = LearningTask(held.schema, outcome, tuple(covariates), plan.hidden, plan.seed, plan.prior)
    learner = await asyncio.to_thread(site.learner, job, task)
    if not 0 < learner.size <= MOST_WEIGHTS:
        raise ParameterError(
            f"a network must have at most {MOST_WEIGHTS} weights, got {learner.size}; hide fewer units"
        )
    rounds = _Rounds(rt, job, steps, plan, learner)
    told = {"outcome": outcome.label, "rounds": plan.rounds, "rate": plan.rate}
    trained = await (rounds.exact() if job.rho is None else rounds.noisy())
    if trained is None:
        return answer(job, [left_out("the model", job)], {**told, "weights": None, "evaluation": None, "privacy": None})
    await rt.agree(hashlib.sha256(trained.weights.tobytes()).digest())
    steps.tell("evaluation")
    risks = await asyncio.to_thread(learner.risks, trained.weights)
    if job.rho is None:
        evaluation, notes = await evaluated(rt, job, *risks)
    else:
        evaluation, notes = await noisily_evaluated(rt, job, job.rho, *risks)
    return answer(
        job, notes,
        {
            **told, "architecture": dict(learner.architecture), "weights": trained.weights.tolist(),
            "patients": trained.patients, "loss": trained.losses, "evaluation": evaluation, "privacy": rounds.privacy,
            "opened": OPENED if job.rho is None else OPENED_NOISY,
        },
    )  # fmt: skip


@dataclass(frozen=True)
class _Trained:
    weights: np.ndarray
    patients: int | None
    losses: list[float] | None


class _Rounds:
    def __init__(self, rt: Runtime, job: Job, steps: Steps, plan: Plan, learner: Learner) -> None:
        self.rt, self.job, self.steps, self.plan, self.learner = rt, job, steps, plan, learner
        self.drawers = Drawers(rt.parties, job.colluding)
        self.privacy: dict[str, Any] | None = None

    async def exact(self) -> _Trained | None:
        """As pooled training; ``None`` if there are too few patients."""
        shares = await self.rt.input_sum(np.array([self.learner.patients]), (1,))
        number = int((await opened_counts(self.rt, shares, max(self.job.minimum_count, 1)))[0])
        if number in (SUPPRESSED, 0):
            return None
        weights, adam, losses = self.learner.start(), Adam(self.learner.size, self.plan.rate), list[float]()
        for i in range(self.plan.rounds):
            self.steps.tell(f"round {i + 1} of {self.plan.rounds}")
            loss, gradient = await asyncio.to_thread(self.learner.loss_gradient, weights)
            opened = await self._opened(_fixed(np.append(gradient, loss))) / 2.0**BITS / number
            losses.append(float(opened[-1]))
            weights = adam.stepped(weights, opened[:-1])
        return _Trained(weights, number, losses)

    async def noisy(self) -> _Trained:
        """With noise at which all rounds together cost the job's rho."""
        assert self.job.rho is not None
        size, count, clip = self.learner.size, self.plan.rounds, self.plan.clip
        sigma = SENSITIVITY * math.sqrt(count / (2 * self.job.rho))
        weights, adam, later = self.learner.start(), Adam(size, self.plan.rate), list[np.ndarray]()
        for i in range(count):
            self.steps.spend(gaussian_rho(sigma, size, self.drawers, SENSITIVITY))
            self.steps.tell(f"round {i + 1} of {count}, rho {self.steps.spent:.4g}")
            own = await asyncio.to_thread(self.learner.clipped, weights, clip, UNITS)
            noise = await asyncio.to_thread(gaussian_part, (size,), sigma, self.drawers)
            weights = adam.stepped(weights, await self._opened(own + noise) * (clip / UNITS))
            if i >= count // 2:
                later.append(weights)
        self.privacy = self._described(sigma)
        return _Trained(np.sum(later, axis=0) / len(later), None, None)

    async def _opened(self, own: np.ndarray) -> np.ndarray:
        return await self.rt.open(await self.rt.input_sum(own, own.shape))

    def _described(self, sigma: float) -> dict[str, Any]:
        """``multiplier`` is the noise that protects, in clips; ``sd`` what errs in a sum of gradients."""
        sd = sigma * math.sqrt(self.drawers.parties / self.drawers.honest) * self.plan.clip / UNITS
        return {
            "rho": self.steps.spent, "epsilon": self.job.epsilon, "delta": self.job.delta, "clip": self.plan.clip,
            "multiplier": sigma / SENSITIVITY, "sd": sd, "collusion": self.drawers.collusion,
            "evaluation": "the same rho, over other patients than the training",
        }  # fmt: skip


def _fixed(values: np.ndarray) -> np.ndarray:
    """Whole numbers; what is out of range becomes a sum that no training reaches, at the same place as all others."""
    return np.rint(np.clip(np.nan_to_num(values * 2.0**BITS, nan=_LARGEST), -_LARGEST, _LARGEST)).astype(np.int64)


def _whole(job: Job, name: str, default: int, least: int, most: int) -> int:
    value = job.parameters.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ParameterError(f"{name} must be a whole number from {least} to {most}, got {value}; choose {default}")
    return value


def _number(job: Job, name: str, default: float, most: float) -> float:
    value = job.parameters.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= most:
        raise ParameterError(f"{name} must be above 0 and at most {most:g}, got {value}; choose {default:g}")
    return float(value)
