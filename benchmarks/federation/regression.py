"""Regressions on made patients whose coefficients are known, as programs to be timed.

Belongs here: the patients of a party, the job, the check against a fit of the pooled table. Does not belong here:
programs on numbers (``programs``).
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.models.cox import cox
from federation.models.logistic import logistic
from federation.runtime import Runtime
from federation.site import TableSite
from records.schema import Column, Kind, Role, Schema

COLUMNS, FOLLOW_UP = 20, 365
START = datetime(2026, 1, 1, tzinfo=UTC)
ANSWERS = {"logistic": (logistic, ["y"], {"outcome": "y", "positive": ["1"]}), "cox": (cox, ["time", "event"], {})}


class Patients(NamedTuple):
    """Of one party; or of all, for the check."""

    x: np.ndarray
    label: np.ndarray
    time: np.ndarray
    event: np.ndarray


def schema() -> Schema:
    """Twenty numbers, a yes or no, and a follow-up."""
    numbers = [
        Column(name=f"x{i}", label="X", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=-6, maximum=6, step=0.001)
        for i in range(COLUMNS)
    ]
    levels = {"0": "no", "1": "yes"}
    y = Column(name="y", label="Y", role=Role.OUTCOME, kind=Kind.CATEGORY, levels=levels)
    time = Column(name="time", label="Days", role=Role.TIME, kind=Kind.INTEGER, minimum=0, maximum=FOLLOW_UP)
    event = Column(name="event", label="Event", role=Role.EVENT, kind=Kind.CATEGORY, levels=levels)
    return Schema(name="made", title="Made", columns=(*numbers, y, time, event))


def patients(index: int, rows: int) -> Patients:
    """Chances of yes and of an event depend on all twenty numbers."""
    rng, beta = np.random.default_rng(index), np.random.default_rng(1000).normal(0, 0.3, COLUMNS)
    x = np.clip(np.round(rng.normal(size=(rows, COLUMNS)), 3), -6, 6)
    label = rng.random(rows) < 1 / (1 + np.exp(-x @ beta))
    days = np.ceil(rng.exponential(300 * np.exp(-x @ beta)))
    return Patients(x, label, np.minimum(days, FOLLOW_UP), days <= FOLLOW_UP)


def site(index: int, rows: int) -> TableSite:
    """A party's data."""
    own, columns = patients(index, rows), schema()
    table = pl.DataFrame(own.x, schema=[f"x{i}" for i in range(COLUMNS)]).with_columns(
        pl.Series("y", own.label.astype(int).astype(str), dtype=columns["y"].dtype),
        pl.Series("time", own.time.astype(np.int64)),
        pl.Series("event", own.event.astype(int).astype(str), dtype=columns["event"].dtype),
    )
    return TableSite({"made": (columns, table)})


async def fitted(rt: Runtime, own: TableSite, kind: str) -> np.ndarray:
    """Coefficients that all parties learn."""
    program, names, parameters = ANSWERS[kind]
    job = Job(
        id="8c5bd4a6-3b5e-4d6f-9c0d-0a8f4f1f7f11", kind=kind, dataset="made", researcher="ada", minimum_count=5,
        participants=tuple(f"party-{i}" for i in range(rt.parties)), parameters=parameters,
        columns=(*(f"x{i}" for i in range(COLUMNS)), *names), issued_at=START, expires_at=START + timedelta(hours=1),
    )  # fmt: skip

    async def unheard(number: int, value: Any) -> None:
        raise AssertionError("a regression has no steps")

    result = await program(rt, own, job, Steps(job, rt, asyncio.Queue(), unheard))
    return np.array([row["coefficient"] for row in result["coefficients"]])


def right(kind: str, found: np.ndarray, parties: int, rows: int) -> bool:
    """Within 1e-3 (logistic) and 1e-2 (Cox) of the fit of all patients in one table."""
    import statsmodels.api as sm

    parts = [patients(i, rows) for i in range(parties)]
    pooled = Patients(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    if kind == "logistic":
        fit = sm.Logit(pooled.label.astype(float), sm.add_constant(pooled.x)).fit(disp=0, tol=1e-12)
        return bool(np.abs(found - fit.params).max() < 1e-3)
    fit = sm.PHReg(pooled.time, pooled.x, status=pooled.event, ties="breslow").fit(disp=0)
    return bool(np.abs(found - fit.params).max() < 1e-2)
