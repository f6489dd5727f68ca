"""A hub to try: demonstration accounts, the bundled cohorts in the catalogue, and their standing offers.

Belongs here: filling an empty hub in demo mode, by the same steps as people would take. Does not belong here: those steps
(``hub``). A hub outside the demo is refused, since everybody knows these passwords.
"""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from orchestration.execution import materialise
from orchestration.settings import Settings
from records.errors import ParameterError
from use_cases.cohort import Cohort
from use_cases.registry import UseCase, discover

if TYPE_CHECKING:
    from hub.caller import Caller
    from hub.catalogue.record import DatasetRecord, Sample
    from hub.deployment import Deployment
    from hub.people.roles import Role
    from hub.people.tables import Person

DOMAIN, PASSWORD = "demo.example.org", "demo-demo-demo"
EPSILON, MOST_ROWS, VALID = 5.0, 5000, timedelta(days=180)
PURPOSES, FORMATS = ("d", "e"), ("parquet", "csv", "omop", "fhir")
SAMPLE_ROWS = 8


def fill(settings: Settings, *, tell: Callable[[str], object]) -> str:
    """Fill the hub once; returns what was done in words.

    Raises
    ------
    ParameterError
        The hub is not a demo.
    """
    from hub.database.migration import migrate
    from hub.people.roles import Role

    if not settings.hub().demo:
        raise ParameterError("a hub must be a demo to be filled, got PHASEIV_HUB_DEMO unset; set it for a trial")
    hub = settings.open_hub()
    migrate(hub.database)
    _prepare(settings, tell)
    people = _people(hub)
    if people is None:
        return "the hub is filled already"
    with hub.database.write() as session:
        for use_case in discover().values():
            cohort, _ = use_case.chosen(settings.cohorts.get(use_case.key))
            _describe(_as(session, hub, people[Role.HOLDER]), settings, use_case, cohort)
            _offer(_as(session, hub, people[Role.HOLDER]), _as(session, hub, people[Role.HEAD]), use_case, cohort)
    return f"the hub has {len(discover())} data sets; sign in as developer@{DOMAIN} with {PASSWORD}"


def dataset_id(use_case: UseCase, cohort: Cohort) -> str:
    """The id of a cohort's data set in the catalogue."""
    return f"{use_case.key}-{cohort.name}".replace("_", "-")


def _prepare(settings: Settings, tell: Callable[[str], object]) -> None:
    """The de-identified cohorts, which orders learn from."""
    workspace = settings.workspace()
    for use_case in discover().values():
        cohort, _ = use_case.chosen(settings.cohorts.get(use_case.key))
        tables = [workspace.table([use_case.key, "deidentified"], site) for site in cohort.site_names]
        if not all(path.exists() for path in tables):
            tell(f"de-identifying {cohort.table.title}")
            materialise(use_case.key, ["raw_cohort", "data_quality", "deidentified"], settings)


def _people(hub: "Deployment") -> "dict[Role, Person] | None":
    import sqlalchemy as sa

    from hub.people import accounts
    from hub.people.roles import Role
    from hub.people.tables import Person

    with hub.database.write() as session:
        if session.scalar(sa.select(sa.func.count()).select_from(Person)):
            return None
        return {
            role: accounts.create(
                session, now=hub.clock(), email=f"{role}@{DOMAIN}", name=f"Demo: {role.label}",
                roles=frozenset({role}), password=PASSWORD, organisation="Demonstration",
            )
            for role in Role
        }  # fmt: skip


def _as(session: Any, hub: "Deployment", person: "Person") -> "Caller":
    from hub.caller import Caller

    return Caller(session, hub.clock(), hub, session.merge(person))


def _describe(holder: "Caller", settings: Settings, use_case: UseCase, cohort: Cohort) -> None:
    from hub.catalogue.service import draft, publish

    name = dataset_id(use_case, cohort)
    draft(holder, name, _record(holder, settings, use_case, cohort), use_case=use_case.key, cohort=cohort.name)
    publish(holder, name)


def _record(holder: "Caller", settings: Settings, use_case: UseCase, cohort: Cohort) -> "DatasetRecord":
    from deidentification.schema import released_schema
    from hub.catalogue.from_evaluation import record_of
    from hub.catalogue.record import Agent

    page = settings.workspace().page(use_case.key).with_suffix(".json")
    evaluation = json.loads(page.read_bytes()) if page.exists() else None
    checked = settings.workspace().report([use_case.key, "data_quality"])
    quality = json.loads(checked.read_bytes())["facts"] if checked.exists() else None
    hub = holder.hub.settings
    split = None if cohort.sites.column else "The split into hospitals is simulated: the sites were not recorded."
    return record_of(
        released_schema(cohort.table), identifier=f"urn:phaseiv:{cohort.name}", licence=cohort.source.licence,
        description=f"{use_case.title}. {use_case.description}: {cohort.table.title}.", citation=cohort.source.citation,
        publisher=Agent(name="Demonstration hospital", email=f"holder@{DOMAIN}"),
        access_body=Agent(name=hub.body, email=f"officer@{DOMAIN}"), hub_url=hub.public_url,
        dataset_id=dataset_id(use_case, cohort), keywords=[use_case.key, "survival", "cohort"], categories=["p"],
        simulated=split, evaluation=evaluation, sample=_sample(settings, use_case, cohort), plots=_plots(evaluation),
        quality=quality,
    )  # fmt: skip


def _sample(settings: Settings, use_case: UseCase, cohort: Cohort) -> "Sample | None":
    """First rows of the release, which is synthetic and has passed the gate; none before the first release."""
    import polars as pl

    from hub.catalogue.record import Sample

    folder = settings.workspace().release(use_case.key, cohort.name)
    if not (folder / "latest").exists():
        return None
    released = folder / (folder / "latest").read_text().strip()
    manifest = json.loads((released / "manifest.json").read_bytes())
    head = pl.read_parquet(released / "synthetic.parquet").head(SAMPLE_ROWS)
    rows = [[v if isinstance(v, int | float) else None if v is None else str(v) for v in row] for row in head.rows()]
    return Sample(columns=head.columns, rows=rows, candidate_sha256=manifest["candidate_sha256"])


def _plots(evaluation: dict[str, Any] | None) -> dict[str, str]:
    """Survival of the released synthetic patients; curves of real ones have no place in a public catalogue."""
    survival = evaluation and evaluation["verdict"]["released"] and evaluation["fidelity"].get("survival")
    if not survival:
        return {}
    from metrics.plots.distribution import released_survival_plot

    return {"Survival of the synthetic patients": base64.b64encode(released_survival_plot(survival)).decode()}


def _offer(holder: "Caller", head: "Caller", use_case: UseCase, cohort: Cohort) -> None:
    from hub.access import offers

    made = offers.propose(
        holder, dataset_id(use_case, cohort), synthesizer="auto", epsilon=EPSILON, max_rows=MOST_ROWS, purposes=PURPOSES,
        formats=FORMATS, valid_until=holder.now + VALID,
    )  # fmt: skip
    offers.approve(head, made.id)
