"""Which computations there are: kind of job to program.

Belongs here: the list, and what holds for all of them. Does not belong here: computations (``protocols``, ``models``).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.models.cox import cox
from federation.models.logistic import logistic
from federation.models.training import training
from federation.protocols.counts import contingency, count, histogram
from federation.protocols.intersection import intersection
from federation.protocols.linkage import linked_contingency
from federation.protocols.log_rank import log_rank
from federation.protocols.marginals import synthesis
from federation.protocols.moments import correlation, moments
from federation.protocols.quantiles import quantiles
from federation.protocols.survival import kaplan_meier
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError

Program = Callable[[Runtime, Site, Job, Steps], Awaitable[dict[str, Any]]]

# These add noise to what they open when the job declares a rho.
NOISY: Mapping[str, Program] = {
    "count": count, "histogram": histogram, "contingency": contingency, "linked_contingency": linked_contingency,
    "synthesis": synthesis, "training": training,
}  # fmt: skip
EXACT: Mapping[str, Program] = {
    "moments": moments, "correlation": correlation, "quantiles": quantiles, "kaplan_meier": kaplan_meier,
    "log_rank": log_rank, "intersection": intersection, "logistic": logistic, "cox": cox,
}  # fmt: skip
# What each program takes beside columns and filters.
PARAMETERS: Mapping[str, frozenset[str]] = {
    "count": frozenset({"bound"}),
    "histogram": frozenset({"bound"}),
    "contingency": frozenset({"bound"}),
    "linked_contingency": frozenset({"holders"}),
    "moments": frozenset({"by"}),
    "correlation": frozenset(),
    "quantiles": frozenset({"shares"}),
    "kaplan_meier": frozenset({"by", "interval"}),
    "log_rank": frozenset({"by", "interval"}),
    "intersection": frozenset(),
    "logistic": frozenset({"outcome", "positive", "horizon"}),
    "cox": frozenset({"strata", "interval"}),
    "training": frozenset({"outcome", "positive", "horizon", "hidden", "rounds", "rate", "clip", "prior", "seed"}),
}


def _exact(program: Program) -> Program:
    """Refuse a job that asks for differential privacy where there is none."""

    async def checked(rt: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
        if job.rho is not None:
            noisy = ", ".join(NOISY)
            raise ParameterError(f"rho must be for a job with noise ({noisy}), got {job.kind}; leave rho out")
        return await program(rt, site, job, steps)

    return checked


def _known_parameters(program: Program) -> Program:
    """Refuse parameters that the program would not look at."""

    async def checked(rt: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
        known = PARAMETERS.get(job.kind)
        if known is not None and (unknown := sorted(set(job.parameters) - known)):
            allowed = ", ".join(sorted(known)) or "none"
            raise ParameterError(f"parameters of {job.kind} must be {allowed}, got {', '.join(unknown)}; remove them")
        return await program(rt, site, job, steps)

    return checked


PROGRAMS: Mapping[str, Program] = {
    **{kind: _known_parameters(program) for kind, program in NOISY.items()},
    **{kind: _known_parameters(_exact(program)) for kind, program in EXACT.items()},
}
