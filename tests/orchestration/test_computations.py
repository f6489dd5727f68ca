"""Computations ordered at the hub: three hospitals as processes with TLS, a Dagster run, and what ends an order.

The parties and their hub are real; runs are executed in this process. The whole way with servers and a browser is in
``tests/hub/journeys``.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
import sqlalchemy as sa
import yaml
from fastapi.testclient import TestClient

from federation.party import messages
from federation.party.signature import statement
from hub.access import permits
from hub.access.tables import Permit, Request
from hub.audit.tables import Entry
from hub.budget import BudgetLedger
from hub.caller import Caller
from hub.catalogue.from_evaluation import variable_of
from hub.catalogue.service import draft, publish
from hub.catalogue.tables import Dataset
from hub.client import Artefact, Hub
from hub.computations.kinds import KINDS, Noise
from hub.delivery import orders
from hub.delivery.tables import Order, OrderState
from hub.deployment import Deployment
from hub.people import accounts
from hub.people.roles import Role
from hub.people.sessions import issue_token
from hub.people.tables import Person
from hub.web.application import build
from orchestration.definitions import build_definitions
from orchestration.federation_demo import federation, running
from orchestration.settings import Settings
from tests.hub.catalogue.test_healthdcat import record
from tests.orchestration.commands import until
from use_cases.registry import discover

pytestmark = pytest.mark.slow
STROKE = discover()["stroke"]
COHORT = STROKE.cohorts[0]
DATASET = "stroke-copenhagen"
ALLOWED = ("count", "histogram", "kaplan_meier", "logistic", "synthesis")
Run = Callable[[str], bool]


@pytest.fixture(scope="module")
def connected(prepared: Settings) -> Iterator[tuple[Settings, Mapping[str, int]]]:
    """Settings of a deployment that is connected to three running hospitals, and the hospitals' process ids."""
    researcher = federation(STROKE, COHORT, prepared, ALLOWED)
    with running(researcher) as pids:
        yield prepared.model_copy(update={"federation": {"stroke": researcher}}), pids


@pytest.fixture(scope="module")
def hub(prepared: Settings) -> Deployment:
    from deidentification.schema import released_schema

    made = prepared.open_hub()
    made.database.create()
    variables = [variable_of(column) for column in released_schema(COHORT.table).columns]
    with made.database.write() as session:
        holder = accounts.create(
            session, now=made.clock(), email="h@example.org", name="H", roles=frozenset({Role.HOLDER}), password=None
        )
        caller = Caller(session, made.clock(), made, holder)
        draft(caller, DATASET, record(variables=variables), use_case="stroke", cohort=COHORT.name)
        publish(caller, DATASET)
    return made


@pytest.fixture(scope="module")
def person(hub: Deployment) -> Person:
    with hub.database.write() as session:
        return accounts.create(
            session, now=hub.clock(), email="d@example.org", name="D", roles=frozenset({Role.DEVELOPER}), password=None
        )


@pytest.fixture(scope="module")
def client(hub: Deployment, person: Person) -> Hub:
    with hub.database.write() as session:
        token = issue_token(session, session.merge(person), "test", hub.clock())
    return Hub("http://testserver", token, verbose=False, transport=TestClient(build(hub))._transport)


@pytest.fixture
def permit(hub: Deployment, person: Person) -> str:
    with hub.database.write() as session:
        caller = Caller(session, hub.clock(), hub, session.merge(person))
        request = Request(
            person_id=person.id, kind="mpc", dataset_ids=[DATASET], form={"purposes": ["e"], "epsilon": 9.0},
            state="granted", created_at=hub.clock(), updated_at=hub.clock(),
        )  # fmt: skip
        session.add(request)
        session.flush()
        return permits.issue(caller, request, months=12).id


@pytest.fixture
def run(connected: tuple[Settings, Any]) -> Run:
    """One run of an order's job, in this process."""

    def ran(order_id: str) -> bool:
        job = build_definitions(connected[0]).resolve_job_def("stroke_computation")
        with dg.DagsterInstance.get() as instance:
            instance.add_dynamic_partitions("hub_orders", [order_id])
            return job.execute_in_process(partition_key=order_id, instance=instance, raise_on_error=False).success

    return ran


def found(hub: Deployment, order_id: str) -> Order:
    with hub.database.read() as session:
        return session.get_one(Order, order_id)


def patients(settings: Settings) -> pl.DataFrame:
    folder = settings.workspace().home / "storage" / "stroke" / "deidentified"
    return pl.concat(pl.read_parquet(path) for path in sorted(folder.glob("[!.]*.parquet")))


def opened(artefact: Artefact, name: str) -> Any:
    return json.loads(artefact.read(name))


def test_what_the_hub_lets_describe_the_parties_know() -> None:
    """The hub's list of kinds is its own; the federation's is the one that computes."""
    from federation.jobs.programs import EXACT, NOISY, PARAMETERS

    assert set(KINDS) == {*EXACT, *NOISY}
    for name, kind in KINDS.items():
        assert (kind.noise is Noise.NEVER) == (name in EXACT), name
        assert set(kind.parameters) == PARAMETERS.get(name, frozenset()), name


def test_an_exact_answer_is_computed_signed_and_downloaded(
    connected: tuple[Settings, Any], hub: Deployment, client: Hub, permit: str, run: Run, tmp_path: Path
) -> None:
    over = {"column": "age", "op": ">=", "value": 65}
    asked = client.compute(permit, DATASET, kind="kaplan_meier", purpose="e", columns=["time", "event"], filters=[over])
    assert asked.facts["state"] == "queued"
    with hub.database.read() as session:
        assert asked.id in [o.id for o in orders.waiting(session)]
    assert run(asked.id)
    facts = asked.wait().facts
    assert facts["state"] == "ready"
    assert set(facts["parties"]) == {"hospital-a", "hospital-b", "hospital-c"}
    assert all(one["stage"] == "done" and one["bytes"] > 0 and one["rounds"] > 0 for one in facts["parties"].values())
    package = asked.get(tmp_path)
    answer, manifest = package.answer(), opened(package, "manifest.json")
    older = patients(connected[0]).filter(pl.col("age") >= 65)
    (curve,) = answer["curves"]
    assert curve["patients"] == older.height
    assert manifest["job_sha256"] == facts["job_sha256"]
    assert manifest["question_sha256"] == facts["question_sha256"]
    assert manifest["job"]["id"] == asked.id
    assert manifest["privacy"] is None
    assert b"<svg" in package.read("report.html") or b"data:image/png" in package.read("report.html")
    assert "No row of a patient left a hospital" in package.read("README.md").decode()
    verified_by_openssl(package, manifest, tmp_path)


def verified_by_openssl(package: Artefact, manifest: dict[str, Any], folder: Path) -> None:
    """Each party's signature, checked by a program we did not write; a changed result does not pass."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl is not installed")
    result = package.read("result.signed.json")
    assert json.loads(result) == messages.decoded(result)
    digest = messages.digest(messages.decoded(result))
    assert digest == manifest["result_sha256"]
    assert len(manifest["signatures"]) == 3
    for one in manifest["signatures"].values():
        (folder / "cert.pem").write_text(one["certificate"])
        (folder / "signature").write_bytes(bytes.fromhex(one["signature"]))
        key = subprocess.run([openssl, "x509", "-in", folder / "cert.pem", "-noout", "-pubkey"], capture_output=True, check=True)  # fmt: skip
        (folder / "key.pem").write_bytes(key.stdout)
        for said, valid in ((digest, True), ("0" * 64, False)):
            (folder / "statement").write_bytes(statement(manifest["job_sha256"], said))
            command = [openssl, "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "statement"]
            assert (subprocess.run(command, cwd=folder, capture_output=True).returncode == 0) is valid


def test_a_model_is_the_one_of_pooled_patients(client: Hub, permit: str, run: Run, tmp_path: Path) -> None:
    asked = client.compute(
        permit, DATASET, kind="logistic", purpose="e", columns=["time", "event", "age", "sex"],
        parameters={"horizon": 365},
    )  # fmt: skip
    assert run(asked.id)
    coefficients = {one["name"]: one for one in asked.wait().get(tmp_path).answer()["coefficients"]}
    assert any("age" in name for name in coefficients)


def test_a_synthetic_table_passes_the_gate_and_is_paid_once_everywhere(
    connected: tuple[Settings, Any], hub: Deployment, client: Hub, permit: str, run: Run, tmp_path: Path
) -> None:
    from deidentification.schema import released_schema
    from records.files import sha256
    from records.validation import validate

    columns = ["age", "sex", "diabetes", "smoking", "time", "event"]
    asked = client.compute(permit, DATASET, kind="synthesis", purpose="e", columns=columns, epsilon=3.0, rows=300)
    assert run(asked.id), found(hub, asked.id).reason
    package = asked.wait().get(tmp_path)
    table, manifest = package.polars(), opened(package, "manifest.json")
    assert table.height == 300
    assert set(table.columns) == set(columns)
    validate(table, released_schema(COHORT.table).select(table.columns), source="synthesis")
    assert manifest["candidate_sha256"] == sha256(package.read("synthetic.parquet"))
    assert manifest["verdict"]["released"]
    assert "not measured" in package.read("report.html").decode()
    assert manifest["privacy"]["epsilon"] == pytest.approx(3.0)
    entries = BudgetLedger(connected[0].workspace().ledger_url).entries(COHORT.name)
    assert [e["rho"] for e in entries if e["question"] == manifest["job_sha256"]] == [manifest["privacy"]["rho"]]
    for site in ("hospital-a", "hospital-b", "hospital-c"):
        assert [rho for job, rho in debits(connected[0], site) if job == asked.id] == [manifest["privacy"]["rho"]]


def debits(settings: Settings, site: str) -> list[tuple[str, float]]:
    journal = settings.workspace().home / "federation" / COHORT.name / site / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return [(one["job"], one["detail"]["rho"]) for one in lines if one["event"] == "budget.debited"]


def test_the_gate_refuses_what_noise_has_drowned(hub: Deployment, client: Hub, permit: str, run: Run) -> None:
    asked = client.compute(permit, DATASET, kind="synthesis", purpose="e", epsilon=0.02)
    assert not run(asked.id)
    order = found(hub, asked.id)
    assert order.state == OrderState.FAILED
    assert "the gate refused the table" in (order.reason or "")
    assert "noise alone" in (order.reason or "")
    assert order.artefact_id is None


def test_a_hospital_refuses_and_says_why(
    connected: tuple[Settings, Any], hub: Deployment, client: Hub, permit: str, run: Run
) -> None:
    before = BudgetLedger(connected[0].workspace().ledger_url).spent(COHORT.name)
    never = client.compute(permit, DATASET, kind="training", purpose="e", columns=["time", "event", "age"],
                           parameters={"horizon": 365}, epsilon=0.5)  # fmt: skip
    assert not run(never.id)
    few = client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=2)
    assert not run(few.id)
    assert "got refused" in (found(hub, never.id).reason or "")
    assert "allows count" in (found(hub, never.id).reason or "")
    assert "minimum_count must be at least 5" in (found(hub, few.id).reason or "")
    assert BudgetLedger(connected[0].workspace().ledger_url).spent(COHORT.name) == before, "a refused job costs nothing"


def test_an_order_is_computed_once(hub: Deployment, client: Hub, permit: str, run: Run) -> None:
    asked = client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=20)
    assert client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=20).id == asked.id
    assert run(asked.id)
    assert not run(asked.id), "a second run finds nothing to do"
    assert found(hub, asked.id).state == OrderState.READY
    with hub.database.write() as session:
        # As if the hub had forgotten: the parties have not.
        session.execute(sa.update(Order).where(Order.id == asked.id).values(state="queued", run_id=None))
    assert not run(asked.id)
    assert "a job must be new" in (found(hub, asked.id).reason or "")


def test_a_party_that_is_away_is_named(
    connected: tuple[Settings, Any], hub: Deployment, client: Hub, permit: str, run: Run
) -> None:
    researcher = connected[0].federation["stroke"]
    kept = researcher.read_text()
    away = yaml.safe_load(kept)
    away["parties"]["hospital-c"] = "127.0.0.1:9"
    try:
        researcher.write_text(yaml.safe_dump(away))
        asked = client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=21)
        assert not run(asked.id)
    finally:
        researcher.write_text(kept)
    reason = found(hub, asked.id).reason or ""
    assert "lost:hospital-c" in reason
    assert "127.0.0.1" not in reason, "where a hospital listens is not told"


def test_an_unknown_party_is_told(hub: Deployment, client: Hub, permit: str, run: Run) -> None:
    asked = client.compute(permit, DATASET, kind="count", purpose="e",
                           participants=["hospital-a", "hospital-b", "hospital-x"])  # fmt: skip
    assert not run(asked.id)
    assert "hospital-x" in (found(hub, asked.id).reason or "")


def test_revocation_while_it_runs_kills_it(
    connected: tuple[Settings, Mapping[str, int]], hub: Deployment, client: Hub, permit: str, person: Person, run: Run
) -> None:
    asked = client.compute(permit, DATASET, kind="histogram", purpose="e", columns=["age", "sex"], minimum_count=22)
    frozen = connected[1]["hospital-c"]

    def revoke() -> None:
        # A hospital that stands still keeps the run waiting, so that the revocation comes in the middle of it.
        try:
            until(lambda: found(hub, asked.id).state == OrderState.RUNNING)
            with hub.database.write() as session:
                caller = Caller(session, hub.clock(), hub, session.merge(person))
                permits.revoke(caller, session.get_one(Permit, permit), "misuse")
        finally:
            os.kill(frozen, signal.SIGCONT)

    os.kill(frozen, signal.SIGSTOP)
    other = threading.Thread(target=revoke)
    other.start()
    try:
        assert run(asked.id), "the run ends in order, with nothing made"
    finally:
        os.kill(frozen, signal.SIGCONT)
        other.join()
    order = found(hub, asked.id)
    assert (order.state, order.reason, order.artefact_id) == (OrderState.CANCELLED, "the permit was revoked", None)
    with hub.database.read() as session:
        told = session.scalars(sa.select(Entry.action).where(Entry.subject == f"order:{asked.id}")).all()
    assert told == ["order.placed", "order.begun", "order.cancelled"]


def test_a_revoked_permit_is_noticed_before_anybody_is_asked(
    connected: tuple[Settings, Any], hub: Deployment, client: Hub, permit: str, run: Run
) -> None:
    asked = client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=23)
    with hub.database.write() as session:
        session.get_one(Permit, permit).revoked_at = hub.clock()
    assert not run(asked.id)
    assert "got one that was revoked" in (found(hub, asked.id).reason or "")
    for site in ("hospital-a", "hospital-b", "hospital-c"):
        journal = connected[0].workspace().home / "federation" / COHORT.name / site / "journal.jsonl"
        assert asked.id not in journal.read_text()


def test_without_a_federation_it_is_told(prepared: Settings, hub: Deployment, client: Hub, permit: str) -> None:
    asked = client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=24)
    job = build_definitions(prepared).resolve_job_def("stroke_computation")
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("hub_orders", [asked.id])
        assert not job.execute_in_process(partition_key=asked.id, instance=instance, raise_on_error=False).success
    assert "connected to a federation" in (found(hub, asked.id).reason or "")
    assert str(prepared.home) not in (found(hub, asked.id).reason or "")


def test_a_data_set_of_another_cohort_is_refused(
    hub: Deployment, client: Hub, permit: str, connected: Any, run: Run
) -> None:
    asked = client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=26)
    with hub.database.write() as session:
        session.get_one(Dataset, DATASET).cohort = "another"
    try:
        assert not run(asked.id)
    finally:
        with hub.database.write() as session:
            session.get_one(Dataset, DATASET).cohort = COHORT.name
    assert "of the cohort that is connected here" in (found(hub, asked.id).reason or "")


def test_the_sensor_starts_the_right_job_once(prepared: Settings, hub: Deployment, client: Hub, permit: str) -> None:
    asked = client.compute(permit, DATASET, kind="count", purpose="e", minimum_count=25)
    repository = build_definitions(prepared).get_repository_def()
    sensor = repository.get_sensor_def("hub_orders")
    with dg.DagsterInstance.get() as instance:
        ticks: list[Any] = [sensor(dg.build_sensor_context(instance, repository_def=repository)) for _ in range(2)]
    for tick in ticks:
        (request,) = [one for one in tick.run_requests or [] if one.run_key == asked.id]
        assert request.job_name == "stroke_computation"
    assert found(hub, asked.id).state == OrderState.LAUNCHED


def test_the_package_holds_no_row_of_a_patient(client: Hub, prepared: Settings) -> None:
    """Neither pseudonyms nor files of the hospitals' tables are in anything that was delivered."""
    pseudonyms = set(patients(prepared)["pseudonym"].to_list())
    assert pseudonyms
    for facts in client.artefacts():
        package = client.get(facts["id"])
        with zipfile.ZipFile(io.BytesIO(package.path.read_bytes())) as files:
            text = b"".join(files.read(name) for name in files.namelist()).decode("utf-8", "replace")
        assert not [one for one in pseudonyms if str(one) in text]
