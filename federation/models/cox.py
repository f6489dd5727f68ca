"""Cox regression with the coefficients of pooled patients, or of patients stratified by site.

Belongs here: the question and the result. Does not belong here: a site's part of the stratified likelihood
(``cox_strata``), and the pooled one, which divides by numbers at risk that stay shared (``cox_pooled``).

References
----------
Cox (1972), Journal of the Royal Statistical Society B 34:187. Breslow (1974), Biometrics 30:89. Efron (1977), Journal
of the American Statistical Association 72:557.
"""

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.models.cox_pooled import PooledCox
from federation.models.cox_strata import part_of
from federation.models.design import design
from federation.models.newton import coefficient_rows, maximised, summed_over_parties
from federation.protocols.follow_up import MOST_TIMES, follow_up
from federation.protocols.patients import Patients, patients
from federation.protocols.suppression import SUPPRESSED, Result, answer, left_out, opened_counts
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError
from records.schema import Column, Role

SITE = "site"
POINTS = 400
OPENED = {
    False: "pooled gradient, Hessian and total risk at each iteration; means and spreads of the columns",
    True: "pooled log-likelihood, gradient and Hessian at each iteration; means and spreads of the columns",
}


async def cox(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Log hazard ratios; ties after Breslow, or after Efron with ``strata: site``, which gives each site its own hazard.

    The job's columns are time, event and covariates; patients whose columns are all known are used. ``interval``
    coarsens time to so many recording steps; by default to at most 400 points for the pooled model, whose cost grows with
    them.
    """
    held, stratified = await patients(rt, site, job), _stratified(job)
    covariates = [held.schema[n] for n in job.columns if held.schema[n].role not in (Role.TIME, Role.EVENT)]
    _refuse_odd(covariates)
    known = Patients(held.schema, held.table.drop_nulls(), held.rows, held.holders)
    own = follow_up(known, job, points=MOST_TIMES if stratified else POINTS)
    died = await opened_counts(rt, await rt.input_sum(np.array([own.events.sum()]), (1,)), max(job.minimum_count, 1))
    if died[0] == SUPPRESSED:
        return answer(job, [left_out("the model: events", job)], {"coefficients": None})
    built, notes = await design(rt, known.table, covariates, job)
    if built is None:
        return answer(job, notes, {"coefficients": None})
    size = len(built.names)
    if stratified:
        pooled = summed_over_parties(rt, lambda beta: part_of(own.times, own.events, built.rows, beta), size)
        fit = await maximised(pooled, size, built.patients, steps)
    else:
        model = await PooledCox.prepared(rt, own, built)
        fit = await maximised(model.part, size, built.patients, steps, finished=model.precision)
    estimates = built.original(fit.coefficients, fit.covariance)
    return answer(
        job, notes,
        {
            "strata": SITE if stratified else None, "ties": "efron" if stratified else "breslow", "interval": own.width,
            "patients": built.patients, "events": int(died[0]), "iterations": fit.iterations,
            "log_likelihood": fit.value if stratified else None, "coefficients": coefficient_rows(built.names, *estimates),
            "opened": OPENED[stratified],
        },
    )  # fmt: skip


def _stratified(job: Job) -> bool:
    strata = job.parameters.get("strata")
    if strata not in (None, SITE):
        raise ParameterError(f"strata must be {SITE} or left out, got {strata}; choose one of these")
    return strata == SITE


def _refuse_odd(columns: list[Column]) -> None:
    if odd := [column.name for column in columns if not (column.levels or column.numeric)]:
        raise ParameterError(f"covariates must hold levels or numbers, got {', '.join(odd)}; leave them out")
