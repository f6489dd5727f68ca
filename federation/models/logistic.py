"""Logistic regression with the coefficients of pooled patients.

Belongs here: the outcome, a party's part of the likelihood, and the result. Does not belong here: the iteration
(``newton``).
"""

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.models.design import design
from federation.models.newton import Part, coefficient_rows, maximised, summed_over_parties
from federation.protocols.patients import Patients, patients
from federation.protocols.suppression import SUPPRESSED, Result, answer, left_out, opened_counts
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError
from records.outcome import binary_outcome
from records.schema import Column, Outcome, Role

OUTCOME = "outcome"


async def logistic(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Log-odds of the outcome: ``outcome`` (a column) in ``positive`` (its levels), or an event within ``horizon``.

    All other columns are covariates; patients whose columns are all known are used.
    """
    held = await patients(rt, site, job)
    outcome, covariates = outcome_and_covariates(held, job)
    labelled = held.table.with_columns(binary_outcome(held.table, held.schema, outcome).alias(OUTCOME))
    rows = labelled.select(OUTCOME, *(column.name for column in covariates)).drop_nulls()
    label = rows[OUTCOME].to_numpy().astype(float)
    shares = await rt.input_sum(np.array([label.sum(), len(label) - label.sum()]).astype(np.int64), (2,))
    classes = await opened_counts(rt, shares, max(job.minimum_count, 1))
    if (classes == SUPPRESSED).any():
        return answer(job, [left_out("the model: one class of the outcome", job)], {"coefficients": None})
    built, notes = await design(rt, rows, covariates, job)
    if built is None:
        return answer(job, notes, {"coefficients": None})
    with_one = np.column_stack([np.ones(len(rows)), built.rows])
    pooled = summed_over_parties(rt, lambda beta: part_of(with_one, label, beta), with_one.shape[1])
    fit = await maximised(pooled, with_one.shape[1], built.patients, steps)
    estimates = built.original(fit.coefficients, fit.covariance)
    return answer(
        job, notes,
        {
            "outcome": outcome.label, "patients": built.patients, "events": int(classes[0]), "iterations": fit.iterations,
            "log_likelihood": fit.value, "coefficients": coefficient_rows(["intercept", *built.names], *estimates),
            "opened": "pooled log-likelihood, gradient and Hessian at each iteration; means and spreads of the columns",
        },
    )  # fmt: skip


def part_of(rows: np.ndarray, label: np.ndarray, beta: np.ndarray) -> Part:
    """A party's part of the log-likelihood, its gradient and its negative Hessian."""
    linear = rows @ beta
    chance = 1 / (1 + np.exp(-np.clip(linear, -700, 700)))
    value = float(label @ linear - np.logaddexp(0, linear).sum())
    return Part(value, rows.T @ (label - chance), (rows * (chance * (1 - chance))[:, None]).T @ rows)


def outcome_and_covariates(held: Patients, job: Job) -> tuple[Outcome, list[Column]]:
    """The outcome and the covariates among the job's columns."""
    columns = [held.schema[name] for name in job.columns]
    horizon, name = job.parameters.get("horizon"), job.parameters.get("outcome")
    follow_up = [c for c in columns if c.role in (Role.TIME, Role.EVENT)]
    if isinstance(horizon, int | float) and name is None and len(follow_up) == 2:
        outcome = Outcome(name=OUTCOME, label=f"event within {horizon:g}", horizon=float(horizon))
        return outcome, _covariates([c for c in columns if c not in follow_up])
    levels = held.schema[str(name)].levels if name in job.columns else {}
    positive = job.parameters.get("positive", [])
    wanted = [str(level) for level in positive] if isinstance(positive, list | tuple) else [str(positive)]
    if horizon is not None or not wanted or not set(wanted) < set(levels):
        raise ParameterError(
            f"the outcome must be a column and its positive levels, or a horizon with time and event, got {name}, "
            f"{', '.join(wanted) or 'no levels'}; see the codebook"
        )
    outcome = Outcome(name=OUTCOME, label=f"{name} is {' or '.join(wanted)}", column=str(name), positive=tuple(wanted))
    return outcome, _covariates([c for c in columns if c.name != name])


def _covariates(columns: list[Column]) -> list[Column]:
    if odd := [column.name for column in columns if not (column.levels or column.numeric)]:
        raise ParameterError(f"covariates must hold levels or numbers, got {', '.join(odd)}; leave them out")
    return columns
