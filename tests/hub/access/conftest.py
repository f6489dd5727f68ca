"""A published data set, its holder, a second officer and head, and complete forms."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from hub.access import offers
from hub.access.form import Form, Kind
from hub.caller import Caller
from hub.catalogue.tables import Dataset
from hub.deployment import Deployment
from hub.people import accounts
from hub.people.roles import Role
from hub.people.tables import Person

DATASET = "stroke-copenhagen"
AsCaller = Callable[[Person | None], AbstractContextManager[Caller]]


@pytest.fixture
def act(hub: Deployment) -> AsCaller:
    """A caller in a writing transaction of its own."""

    @contextmanager
    def opened(person: Person | None) -> Iterator[Caller]:
        with hub.database.write() as session:
            yield Caller(session, hub.clock(), hub, session.get(Person, person.id) if person else None)

    return opened


@pytest.fixture
def second(hub: Deployment) -> Callable[..., Person]:
    """Another person with the given roles."""

    def made(*roles: Role, public_body: bool = False, name: str = "second") -> Person:
        with hub.database.write() as session:
            return accounts.create(
                session, now=hub.clock(), email=f"{name}-{'-'.join(roles)}@example.org", name=name,
                roles=frozenset(roles), password=None, public_body=public_body,
            )  # fmt: skip

    return made


@pytest.fixture
def dataset(hub: Deployment, people: dict[Role, Person]) -> str:
    """The id of a published data set with a pipeline."""
    with hub.database.write() as session:
        session.add(
            Dataset(
                id=DATASET, holder_id=people[Role.HOLDER].id, title="Copenhagen Stroke Study", description="Stroke.",
                status="published", version=1, record={}, turtle=None, words="stroke", access_rights="NON_PUBLIC",
                use_case="stroke", cohort=None, created_at=hub.clock(), published_at=hub.clock(),
            )
        )  # fmt: skip
    return DATASET


def form_of(kind: Kind = Kind.SYNTHETIC, **changes: Any) -> Form:
    """A complete form."""
    text = "A sufficient answer."
    names = (
        "applicant", "functions", "intended_use", "benefit", "data_scope", "time_range", "safeguards", "period_reason",
        "tools", "lawful_basis", "statistical_content", "mpc_question",
    )  # fmt: skip
    answers: dict[str, Any] = dict.fromkeys(names, text) | {
        "kind": kind, "dataset_ids": [DATASET], "persons": ["Ada"], "purposes": ["e"], "months": 24, "rows": 100,
        "declarations": list("abcde"),
    }  # fmt: skip
    return Form.model_validate(answers | changes)


@pytest.fixture
def offer(act: AsCaller, dataset: str, people: dict[Role, Person]) -> str:
    """The id of an approved standing offer: 1,000 rows for research and teaching."""
    with act(people[Role.HOLDER]) as caller:
        made = offers.propose(
            caller, dataset, synthesizer="auto", epsilon=1.0, max_rows=1000, purposes=["d", "e"],
            formats=["parquet", "csv"], valid_until=caller.now + timedelta(days=300),
        )  # fmt: skip
        offer_id = made.id
    with act(people[Role.HEAD]) as caller:
        offers.approve(caller, offer_id)
    return offer_id
