"""Training of any model over hospitals: only sums over all parties of its updates or gradients are opened.

Belongs here: the session of a training at one party, in fixed point, with noise if the job has a rho. Does not belong
here: the model itself, which a site brings along (``Trainer``), and the optimiser, which is the researcher's.

A step of the researcher holds weights, which are public, and asks for an update or for an evaluation. Without differential
privacy an update is a site's change of the weights times its patients, and the average is opened (federated averaging).
With it an update is the sum of patients' gradients, each of norm at most ``clip``, and each party adds its part of the
noise, so that adding or removing one patient costs ``1 / (2 multiplier^2)`` in zCDP, whichever parties collude as far as the
job says. Sums of fewer patients than the job's minimum count are not opened.

References
----------
McMahan et al. (2017), Communication-efficient learning of deep networks from decentralized data (AISTATS). Bonawitz et al.
(2017), Practical secure aggregation (CCS). Abadi et al. (2016), Deep learning with differential privacy (CCS). Kairouz, Liu
and Steinke (2021), The distributed discrete Gaussian mechanism (ICML).
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.noise import Drawers, gaussian_part
from federation.protocols.patients import Patients, patients
from federation.protocols.suppression import SUPPRESSED, Left, Result, answer, left_out, listed, opened_counts
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError
from records.schema import Schema

UPDATE, EVALUATE = "update", "evaluate"
BITS = 24  # of updates and losses
CLIP_UNITS = 1 << 16  # of a clipped gradient's norm: rounding adds at most sqrt(weights) to it
MOST_WEIGHTS = 1_000_000
_LARGEST = 2.0**56


class Update(NamedTuple):
    """A site's sum over its patients, and how many they are."""

    total: np.ndarray
    patients: int


class Evaluation(NamedTuple):
    """Over a site's patients: how many, how many were predicted rightly, and the sum of losses."""

    patients: int
    right: int
    loss: float


class Trainer(Protocol):
    """A model at one site; weights are one flat array."""

    def update(self, table: pl.DataFrame, schema: Schema, weights: np.ndarray, options: Mapping[str, Any]) -> Update:
        """Change of the weights by local training, times patients."""
        ...

    def gradients(self, table: pl.DataFrame, schema: Schema, weights: np.ndarray, clip: float) -> Update:
        """Sum of patients' gradients of the loss, each scaled to a norm of at most ``clip``."""
        ...

    def evaluated(self, table: pl.DataFrame, schema: Schema, weights: np.ndarray) -> Evaluation:
        """How well the weights predict the site's patients."""
        ...


class TrainingSite(Site, Protocol):
    """A site that brings models along."""

    def trainer(self, name: str) -> Trainer:
        """The model called ``name``.

        Raises
        ------
        ParameterError
            The site has no such model.
        """
        ...


async def averaging(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Answer the steps of a training until there are no more; the job's parameter ``model`` names the model."""
    held = await patients(rt, site, job)
    trainer = _trainer(site, job) if rt.index in held.holders else None
    training = _Training(rt, job, steps, held, trainer)
    async for request in steps:
        weights = _weights(request)
        if request.get("ask") == EVALUATE:
            await steps.answer(await training.evaluated(weights))
        elif request.get("ask") == UPDATE and job.rho is None:
            await steps.answer(await training.averaged(weights, request))
        elif request.get("ask") == UPDATE:
            await steps.answer(await training.noisy(weights, request))
        else:
            raise ParameterError(f"a step must ask for {UPDATE} or {EVALUATE}, got {request.get('ask')}; mend it")
    return answer(job, training.notes, {"steps": steps.number, "rho": steps.spent or None})


class _Training:
    def __init__(self, rt: Runtime, job: Job, steps: Steps, held: Patients, trainer: Trainer | None) -> None:
        self.rt, self.job, self.steps, self.held, self.trainer = rt, job, steps, held, trainer
        self.notes: list[Left] = []

    async def averaged(self, weights: np.ndarray, request: Mapping[str, Any]) -> dict[str, Any]:
        """The average update over all patients."""
        own = Update(np.zeros_like(weights), 0)
        if self.trainer is not None:
            own = await asyncio.to_thread(self.trainer.update, self.held.table, self.held.schema, weights, request)
        whole = np.rint(np.clip(np.nan_to_num(own.total) * 2.0**BITS, -_LARGEST, _LARGEST)).astype(np.int64)
        number = await self._number(own.patients)
        if number is None:
            return {"patients": None, "update": None}
        opened = await self.rt.open(await self.rt.input_sum(whole, whole.shape))
        return {"patients": number, "update": opened / 2.0**BITS / number}

    async def noisy(self, weights: np.ndarray, request: Mapping[str, Any]) -> dict[str, Any]:
        """The sum of clipped gradients with noise of scale ``multiplier`` times ``clip``; costs zCDP."""
        clip, multiplier = (_positive(request, name) for name in ("clip", "multiplier"))
        sensitivity = CLIP_UNITS + math.sqrt(weights.size)
        drawers = Drawers(self.rt.parties, self.job.colluding)
        self.steps.spend(1 / (2 * multiplier**2))
        whole = np.zeros(weights.shape, dtype=np.int64)
        if self.trainer is not None:
            own = await asyncio.to_thread(self.trainer.gradients, self.held.table, self.held.schema, weights, clip)
            whole = np.rint(np.nan_to_num(own.total) / clip * CLIP_UNITS).astype(np.int64)
        noise = await asyncio.to_thread(gaussian_part, weights.shape, multiplier * sensitivity, drawers)
        opened = await self.rt.open(await self.rt.input_sum(whole + noise, weights.shape))
        return {"gradient": opened * (clip / CLIP_UNITS)}

    async def evaluated(self, weights: np.ndarray) -> dict[str, Any]:
        """Right predictions and mean loss at each site with enough patients."""
        own = Evaluation(0, 0, 0.0)
        if self.trainer is not None:
            own = await asyncio.to_thread(self.trainer.evaluated, self.held.table, self.held.schema, weights)
        rows = [own.patients, own.right, round(min(abs(own.loss), 2.0**30) * 2**BITS)]
        found = []
        for party in self.held.holders:
            shares = await self.rt.input(party, np.array(rows) if party == self.rt.index else None, (3,))
            found.append(await self._site(shares, self.job.participants[party]))
        return {"sites": found}

    async def _site(self, shares: np.ndarray, name: str) -> dict[str, Any]:
        count = await opened_counts(self.rt, shares[:1], self.job.minimum_count)
        if count[0] == SUPPRESSED or not count[0]:
            self._left(f"the evaluation at {name}")
            return {"site": name, "patients": None, "accuracy": None, "loss": None}
        right, loss = (await self.rt.open(shares[1:])).tolist()
        number = listed(count)[0]
        return {"site": name, "patients": number, "accuracy": right / number, "loss": loss / 2**BITS / number}

    async def _number(self, own: int) -> int | None:
        shares = await self.rt.input_sum(np.array([own]), (1,))
        count = int((await opened_counts(self.rt, shares, max(self.job.minimum_count, 1)))[0])
        if count == SUPPRESSED:
            self._left("the update")
            return None
        return count

    def _left(self, what: str) -> None:
        if (note := left_out(what, self.job)) not in self.notes:
            self.notes.append(note)


def _trainer(site: Site, job: Job) -> Trainer:
    if not hasattr(site, "trainer"):
        raise ParameterError(f"{job.dataset} must be at a site that trains models, got none; ask the site")
    return site.trainer(str(job.parameters.get("model")))  # type: ignore[attr-defined]


def _weights(request: Mapping[str, Any]) -> np.ndarray:
    weights = request.get("weights")
    if not isinstance(weights, np.ndarray) or weights.ndim != 1 or not 0 < weights.size <= MOST_WEIGHTS:
        raise ParameterError(f"weights must be one flat array of at most {MOST_WEIGHTS}, got another; mend the step")
    return weights.astype(np.float64)


def _positive(request: Mapping[str, Any], name: str) -> float:
    value = request.get(name)
    if not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        raise ParameterError(f"{name} must be positive and finite, got {value}; choose for instance 1.0")
    return float(value)
