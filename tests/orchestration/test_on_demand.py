"""Orders of the hub become runs once, and each ends in one state with a reason its applicant can read."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from hub.access import permits
from hub.access.tables import Request
from hub.budget import BudgetLedger
from hub.caller import Caller
from hub.delivery import orders
from hub.delivery.tables import Order, OrderState
from hub.deployment import Deployment
from hub.people import accounts
from hub.people.roles import Role
from hub.repository import vault
from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from use_cases.registry import discover

pytestmark = pytest.mark.slow
Place = Callable[..., str]


@pytest.fixture(scope="module")
def hub(prepared: Settings) -> Deployment:
    made = prepared.open_hub()
    made.database.create()
    return made


@pytest.fixture(scope="module")
def place(hub: Deployment) -> Place:
    """Puts an order into the queue, as a granted request does."""
    with hub.database.write() as session:
        person = accounts.create(
            session, now=hub.clock(), email="d@example.org", name="D", roles=frozenset({Role.DEVELOPER}), password=None
        )
        request = Request(
            person_id=person.id, kind="synthetic", dataset_ids=["stroke-copenhagen"], form={"purposes": ["e"]},
            state="granted", created_at=hub.clock(), updated_at=hub.clock(),
        )  # fmt: skip
        session.add(request)
        session.flush()
        permit = permits.issue(Caller(session, hub.clock(), hub, person), request, months=12).id

    def placed(**changes: object) -> str:
        now = hub.clock()
        entry = {"rows": 1000, "epsilon": 5.0, "use_case": "stroke", "columns": ["age", "sex"]} | changes
        with hub.database.write() as session:
            order = Order(
                permit_id=permit, offer_id="offer", person_id=person.id, dataset_id="stroke-copenhagen",
                synthesizer="auto", formats=["parquet", "omop", "fhir"], created_at=now, updated_at=now,
                deadline=now + orders.TIME_LIMIT, **entry,
            )  # fmt: skip
            session.add(order)
            session.flush()
            return order.id

    return placed


def worked_off(prepared: Settings, order_id: str, use_case: str = "stroke") -> bool:
    """One run of the order's job, in this process."""
    job = build_definitions(prepared).resolve_job_def(f"{use_case}_on_demand")
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("hub_orders", [order_id])
        return job.execute_in_process(partition_key=order_id, instance=instance, raise_on_error=False).success


def found(hub: Deployment, order_id: str) -> Order:
    with hub.database.read() as session:
        return session.get_one(Order, order_id)


def test_two_orders_are_delivered_for_one_debit(prepared: Settings, hub: Deployment, place: Place) -> None:
    first, second = place(), place(rows=900)
    for order_id in (first, second):
        assert worked_off(prepared, order_id)
        assert found(hub, order_id).state == OrderState.READY
    entries = [
        e for e in BudgetLedger(prepared.workspace().ledger_url).entries("copenhagen") if e["account"] == "release"
    ]
    assert len(entries) == 1, "the same question is paid once"
    packages = [b"".join(vault.read(hub, found(hub, o).artefact_id or "")) for o in (first, second)]
    for package in packages:
        with zipfile.ZipFile(io.BytesIO(package)) as opened:
            assert {
                "synthetic.parquet",
                "manifest.json",
                "report.html",
                "evaluation.json",
                "LICENCE",
                "README.md",
            } <= set(opened.namelist())
            assert {"omop/person.csv", "fhir/Patient.ndjson", "SHA256SUMS"} <= set(opened.namelist())
            table = pl.read_parquet(io.BytesIO(opened.read("synthetic.parquet")))
    assert table.columns == ["age", "sex"]
    assert table.height == 900


def test_what_the_gate_refuses_is_not_delivered(prepared: Settings, hub: Deployment, place: Place) -> None:
    order_id = place(rows=20)
    assert not worked_off(prepared, order_id)
    order = found(hub, order_id)
    assert order.state == OrderState.FAILED
    assert "the gate refused the table" in (order.reason or "")
    assert order.artefact_id is None


def test_unknown_columns_are_refused_before_they_are_paid_for(
    prepared: Settings, hub: Deployment, place: Place
) -> None:
    ledger = BudgetLedger(prepared.workspace().ledger_url)
    spent, order_id = ledger.spent("copenhagen"), place(columns=["age", "shoe size"], epsilon=0.5)
    assert not worked_off(prepared, order_id)
    assert "got 1 others" in (found(hub, order_id).reason or "")
    assert ledger.spent("copenhagen") == spent


def test_an_exhausted_budget_is_told(prepared: Settings, hub: Deployment, place: Place) -> None:
    total = discover()["stroke"].budget_rho
    ledger = BudgetLedger(prepared.workspace().ledger_url)
    rest = total - ledger.spent("copenhagen")
    ledger.debit("copenhagen", rho=rest, total_rho=total, epsilon=9.0, delta=1e-5, question="all the rest")
    order_id = place(epsilon=2.0)
    assert not worked_off(prepared, order_id)
    assert "must fit what is left of its budget" in (found(hub, order_id).reason or "")


def test_an_unprepared_cohort_is_told(prepared: Settings, hub: Deployment, place: Place) -> None:
    order_id = place(use_case="lung")
    assert not worked_off(prepared, order_id, "lung")
    order = found(hub, order_id)
    assert order.state == OrderState.FAILED
    assert "must exist, got no file" in (order.reason or "")
    assert str(prepared.home) not in (order.reason or ""), "no path of the data side leaves it"


def test_the_sensor_launches_once_and_stops_what_is_late(prepared: Settings, hub: Deployment, place: Place) -> None:
    order_id = place()
    repository = build_definitions(prepared).get_repository_def()
    sensor = repository.get_sensor_def("hub_orders")
    with dg.DagsterInstance.get() as instance:
        ticks = [sensor(dg.build_sensor_context(instance, repository_def=repository)) for _ in range(2)]
    keys = [[r.run_key for r in tick.run_requests or []] for tick in ticks]
    assert keys == [[order_id], [order_id]], "asked again until it has begun; Dagster knows the key"
    assert found(hub, order_id).state == OrderState.LAUNCHED
    with hub.database.write() as session:
        session.get_one(Order, order_id).deadline = hub.clock()
    with dg.DagsterInstance.get() as instance:
        tick = sensor(dg.build_sensor_context(instance, repository_def=repository))
    assert not tick.run_requests
    assert found(hub, order_id).state == OrderState.FAILED
    assert not worked_off(prepared, order_id), "a run that comes too late makes nothing"


def test_without_a_hub_the_sensors_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = build_definitions(Settings(home=tmp_path)).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        for name in ("hub_orders", "hub_questions"):
            context = dg.build_sensor_context(instance, repository_def=repository)
            monkeypatch.delenv("PHASEIV_HUB_DEMO", raising=False)
            assert "PHASEIV_HUB_MASTER_KEY must be set" in repository.get_sensor_def(name)(context).skip_message
            monkeypatch.setenv("PHASEIV_HUB_DEMO", "true")
            assert "its store must have its tables" in repository.get_sensor_def(name)(context).skip_message
