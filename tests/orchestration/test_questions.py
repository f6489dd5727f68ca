"""Questions to the hub's statistics: counted with noise, debited in the cohort's ledger, refused in words."""

import dagster as dg
import numpy as np
import pytest
import sqlalchemy as sa

from hub.access import permits
from hub.access.tables import Permit, Request
from hub.budget import BudgetLedger
from hub.caller import Caller
from hub.catalogue.service import draft, publish
from hub.deployment import Deployment
from hub.people import accounts
from hub.people.roles import Role
from hub.statistics.questions import waiting
from hub.statistics.tables import PreparedTable, Question
from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from records.accounting import sigma_for
from records.files import read_table_file
from tests.hub.catalogue.test_healthdcat import record

pytestmark = pytest.mark.slow
RHO = 0.05


@pytest.fixture(scope="module")
def hub(prepared: Settings) -> Deployment:
    made = prepared.open_hub()
    made.database.create()
    with made.database.write() as session:
        holder = accounts.create(
            session, now=made.clock(), email="h@example.org", name="H", roles=frozenset({Role.HOLDER}), password=None
        )
        caller = Caller(session, made.clock(), made, holder)
        draft(caller, "stroke-copenhagen", record(), use_case="stroke", cohort="copenhagen")
        publish(caller, "stroke-copenhagen")
        draft(caller, "stroke-trial", record(), use_case="stroke", cohort="ist")
        request = Request(
            person_id=holder.id, kind="statistics", dataset_ids=["stroke-copenhagen"], form={"purposes": ["e"]},
            state="granted", created_at=made.clock(), updated_at=made.clock(),
        )  # fmt: skip
        session.add(request)
        session.flush()
        permits.issue(caller, request, months=12)
    return made


def asked(prepared: Settings, hub: Deployment, variables: list[str], dataset: str = "stroke-copenhagen") -> Question:
    """Place a question, let its job run, and read it again."""
    with hub.database.write() as session:
        permit = session.scalars(sa.select(Permit)).one()
        question = Question(
            dataset_id=dataset, person_id=permit.person_id, permit_id=permit.id, variables=variables, rho=RHO, state="queued",
            created_at=hub.clock(),
        )  # fmt: skip
        session.add(question)
        session.flush()
        assert (question.id, "stroke") in waiting(session)
    job = build_definitions(prepared).resolve_job_def("stroke_statistics")
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("hub_questions", [question.id])
        assert job.execute_in_process(partition_key=question.id, instance=instance).success
    with hub.database.read() as session:
        return session.get_one(Question, question.id)


def test_the_answer_has_the_stated_noise_and_is_debited(prepared: Settings, hub: Deployment) -> None:
    question = asked(prepared, hub, ["sex", "age"])
    assert question.state == "answered"
    with hub.database.read() as session:
        table = session.get_one(PreparedTable, question.table_id)
        cells = {tuple(labels): count for labels, count in table.cells}
    folder = prepared.workspace().home / "storage" / "stroke" / "deidentified"
    patients = sum(read_table_file(path).frame.height for path in folder.glob("*.parquet"))
    sigma = sigma_for(RHO, 1)
    # Clipping at nothing adds at most .4 sigma a cell; six standard errors beyond that have probability 1e-9.
    assert abs(sum(cells.values()) - patients) < len(cells) * 0.4 * sigma + 6 * sigma * np.sqrt(len(cells))
    (entry,) = BudgetLedger(prepared.workspace().ledger_url).entries("copenhagen")
    assert entry["rho"] == RHO
    assert entry["account"] == "release"


def test_what_has_no_levels_is_refused_and_costs_nothing(prepared: Settings, hub: Deployment) -> None:
    before = BudgetLedger(prepared.workspace().ledger_url).spent("copenhagen")
    question = asked(prepared, hub, ["nonsense"])
    assert question.state == "refused"
    assert "must have levels or bins" in (question.reason or "")
    assert BudgetLedger(prepared.workspace().ledger_url).spent("copenhagen") == before


def test_a_data_set_of_a_cohort_that_is_not_connected_is_not_answered_from_other_patients(
    prepared: Settings, hub: Deployment
) -> None:
    ledger = BudgetLedger(prepared.workspace().ledger_url)
    before = ledger.spent("copenhagen")
    question = asked(prepared, hub, ["sex", "age"], dataset="stroke-trial")
    assert question.state == "refused"
    assert "must be of the cohort that is connected here" in (question.reason or "")
    assert ledger.spent("copenhagen") == before
