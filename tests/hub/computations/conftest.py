"""A published data set with a codebook, and a permit to compute on it."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.access import permits
from hub.access.tables import Request
from hub.catalogue.record import Variable
from hub.catalogue.service import draft, publish
from hub.people.roles import Role
from tests.hub.catalogue.test_healthdcat import record

DATASET = "stroke-set"
VARIABLES: list[dict[str, Any]] = [
    {"name": "age", "label": "Age", "datatype": "integer", "unit": "a", "public_range": "0 to 120"},
    {"name": "sex", "label": "Sex", "datatype": "string", "levels": {"female": "Female", "male": "Male"}},
    {"name": "smoking", "label": "Smoking", "datatype": "string", "levels": {"0": "No", "1": "Yes"}},
    {"name": "time", "label": "Follow-up", "datatype": "integer", "unit": "d"},
    {"name": "event", "label": "Death", "datatype": "string", "levels": {"0": "No", "1": "Yes"}},
]
COUNT: dict[str, Any] = {"dataset_id": DATASET, "purpose": "e", "kind": "count"}


@pytest.fixture
def dataset(people: dict[Role, Any], as_caller: Callable[..., Any]) -> str:
    with as_caller(people[Role.HOLDER]) as holder:
        draft(
            holder,
            DATASET,
            record(variables=[Variable.model_validate(v) for v in VARIABLES]),
            use_case="stroke",
            cohort="copenhagen",
        )
        publish(holder, DATASET)
    return DATASET


@pytest.fixture
def permit_for(dataset: str, as_caller: Callable[..., Any]) -> Callable[..., str]:
    """``permit_for(person, epsilon=3, columns=[...])``: the id of a permit for computations on the data set."""

    def issued(person: Any, kind: str = "mpc", **terms: Any) -> str:
        with as_caller(person) as caller:
            request = Request(person_id=person.id, kind=kind, dataset_ids=[dataset], form={"purposes": ["e"], **terms},
                              state="granted", created_at=caller.now, updated_at=caller.now)  # fmt: skip
            caller.session.add(request)
            caller.session.flush()
            return permits.issue(caller, request, months=12).id

    return issued


@pytest.fixture
def permit(people: dict[Role, Any], permit_for: Callable[..., str]) -> str:
    return permit_for(people[Role.DEVELOPER], epsilon=3.0)
