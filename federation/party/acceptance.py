"""Whether a party takes part in a job: every rule, checked before anything is computed.

Belongs here: pure checks against settings, codebook, clock, used ids and budget. Does not belong here: asking a person
(``approval``) and what programs check of their own parameters.
"""

import math
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from pydantic import JsonValue

from federation.jobs.codebook import differing, digests
from federation.jobs.ends import BUDGET, EXPIRED, REFUSED, End, JobEndedError
from federation.jobs.job import Job
from federation.party.journal import SLACK, Journal
from federation.party.settings import PartySettings, Rule
from federation.site import Site, kept_rows
from records.discretisation import discrete_columns, level_count
from records.errors import ParameterError, PhaseIVError
from records.schema import Kind, Role, Schema

TABLES = ("contingency", "linked_contingency")
WITHOUT_COLUMNS = ("count", "intersection")


def refusal(words: str, state: str = REFUSED) -> JobEndedError:
    """What to raise when a job is not taken part in."""
    return JobEndedError(End(state, words))


def accepted(
    job: Job, *, researcher: str, settings: PartySettings, site: Site, journal: Journal, kinds: Collection[str],
    now: datetime,
) -> str:  # fmt: skip
    """``auto`` or ``ask``: a person must still agree.

    Raises
    ------
    JobEndedError
        With the state and the reason, which may be told to the researcher.
    """
    _check_people(job, researcher, settings)
    _check_clock(job, settings, now)
    if journal.used(job.id):
        raise refusal(f"a job must be new, got the id {job.id} again; submit it under a new id")
    if job.kind not in kinds:
        raise refusal(f"kind must be one of {', '.join(sorted(kinds))}, got {job.kind}; choose one of these")
    if job.dataset in settings.computes:
        return "auto"
    rule = settings.datasets.get(job.dataset)
    if rule is None:
        raise refusal(f"the data set must be one that {settings.name} offers, got {job.dataset}; ask its catalogue")
    _check_rule(job, settings, rule)
    _check_budget(job, rule, journal)
    check_columns(job, rule, _codebook(job, site))
    return rule.computations[job.kind]


def codebook(job: Job, site: Site) -> dict[str, str]:
    """Digests of the job's columns at this site."""
    return digests(site.schema(job.dataset), job.touched)


def check_columns(job: Job, rule: Rule, schema: Schema) -> None:
    """Columns and filters must be the codebook's and free for use, and the table not over-wide."""
    if rule.columns is not None and not job.columns and job.kind not in WITHOUT_COLUMNS:
        raise refusal(f"columns must be named, got none; name some of {', '.join(rule.columns)}")
    for name in (*job.touched, *_named_by_parameters(job, schema)):
        if name not in schema.names or (rule.columns is not None and name not in rule.columns):
            raise refusal(f"columns must be free for computations on {job.dataset}, got {name}; choose others")
        if schema[name].role is Role.IDENTIFIER or schema[name].kind is Kind.TEXT:
            raise refusal(f"columns must be neither identifiers nor texts, got {name}; leave it out")
    try:
        kept_rows(schema, job.filters)
    except ParameterError as error:
        raise refusal(str(error)) from None
    if wrong := differing(dict(job.codebook or {}), digests(schema, job.touched)):
        raise refusal(f"the codebook must be the job's, got another in {', '.join(wrong)}; agree on one codebook")
    if job.kind in TABLES and (cells := table_cells(schema, job.columns)) > rule.most_cells:
        raise refusal(
            f"a contingency table must have at most {rule.most_cells} cells, got {cells}; ask for fewer columns"
        )


def _named_by_parameters(job: Job, schema: Schema) -> list[str]:
    """Columns behind the parameters: their names, and what an outcome is made of."""
    behind = {o.name: [o.column] if o.column else [schema.time, schema.event] for o in schema.outcomes}
    named = [name for text in _texts(dict(job.parameters)) for name in behind.get(text, [text])]
    names = [one if isinstance(one, str) or one is None else one.name for one in named]
    return [name for name in names if name in schema.names]


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def table_cells(schema: Schema, columns: Collection[str]) -> int:
    """Cells of the table of all ``columns`` that are discrete, a level for missing included."""
    return math.prod(level_count(column) for column in discrete_columns(schema) if column.name in columns)


def _check_people(job: Job, researcher: str, settings: PartySettings) -> None:
    if job.researcher != researcher:
        raise refusal(f"a job must be submitted by its researcher {job.researcher}, got {researcher}; submit your own")
    if researcher not in settings.researchers:
        raise refusal(f"{settings.name} must know the researcher, got {researcher}; ask it to let you in")
    others = set(job.participants) - {settings.name}
    if settings.name not in job.participants or not others <= set(settings.peers):
        known = ", ".join(sorted([settings.name, *settings.peers]))
        raise refusal(
            f"participants must be parties that {settings.name} knows ({known}), itself among them; choose these"
        )
    for what, got, least in (
        ("participants", len(job.participants), settings.fewest_parties),
        ("threshold", job.degree, settings.least_threshold),
        ("collusion", job.colluding, settings.least_collusion if job.rho is not None else 0),
    ):
        if got < least:
            raise refusal(f"{what} must be at least {least} at {settings.name}, got {got}; ask for more")


def _check_clock(job: Job, settings: PartySettings, now: datetime) -> None:
    slack, times = timedelta(seconds=settings.clock_seconds), f"got {now:%FT%TZ} here"
    if job.issued_at > now + slack:
        raise refusal(
            f"issued_at must not lie ahead, {job.issued_at:%FT%TZ} in the job, {times}; set the clocks", EXPIRED
        )
    if now >= job.expires_at:
        raise refusal(f"a job must not be over, {job.expires_at:%FT%TZ} in the job, {times}; issue it anew", EXPIRED)


def _check_rule(job: Job, settings: PartySettings, rule: Rule) -> None:
    if rule.computations.get(job.kind, "never") == "never":
        allowed = ", ".join(sorted(k for k, v in rule.computations.items() if v != "never")) or "none"
        raise refusal(f"{settings.name} allows {allowed} on {job.dataset}, got {job.kind}; choose one of these")
    if job.minimum_count < rule.minimum_count:
        raise refusal(f"minimum_count must be at least {rule.minimum_count}, got {job.minimum_count}; raise it")
    if rule.only_private and job.rho is None:
        raise refusal(f"jobs on {job.dataset} must have differential privacy, got none; declare rho")


def _check_budget(job: Job, rule: Rule, journal: Journal) -> None:
    if job.rho is None and rule.most_exact_jobs is not None and journal.exact(job.dataset) >= rule.most_exact_jobs:
        raise refusal(
            f"jobs on {job.dataset} without differential privacy must be at most {rule.most_exact_jobs}, got one more; "
            "declare rho", BUDGET,
        )  # fmt: skip
    left = (rule.budget_rho or 0.0) - journal.spent(job.dataset)
    if job.rho is not None and job.rho > left + SLACK:
        raise refusal(
            f"rho must fit what is left of the budget of {job.dataset}, {max(left, 0.0):.4f}, got {job.rho:.4f}; "
            "ask for a smaller epsilon", BUDGET,
        )  # fmt: skip


def _codebook(job: Job, site: Site) -> Schema:
    try:
        schema = site.schema(job.dataset)
        patients = site.table(job.dataset, schema.names[:1]).height
    except (PhaseIVError, OSError, KeyError) as error:
        # The site's own trouble: its words stay in its log.
        raise refusal(
            f"the data of {job.dataset} must be readable, got {type(error).__name__}; ask the site"
        ) from error
    if patients == 0:
        raise refusal(f"a party must have patients in {job.dataset} or only compute, got none; mend its settings")
    return schema
