"""Computations that were ordered at the hub: asked of the hospitals' parties, judged, handed over.

Belongs here: working off one such order. Does not belong here: who may order (``hub.computations``), the parties
(``federation``), what is in the package (``answer_package``). No row of a patient and no share reaches this side: it sees
what the job's rule opens.

The job's id is the order's: a party does an id once, so that no order can be computed twice, whatever becomes of a run.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

from assets.answer_package import Answer, figures_of, write_answer
from assets.federated import told
from assets.federated_jobs import Federation, as_bytes, logged
from assets.requests import ORDERS, Desk, OpenHub, Unwanted, worked_off
from records.errors import BudgetError, GateError, ParameterError, PhaseIVError
from records.files import TableFile, parquet_bytes, sha256
from records.privacy import ADD_REMOVE_PATIENT

if TYPE_CHECKING:
    from federation.jobs.ends import End
    from federation.jobs.job import Job
    from federation.party.researcher import Progress, Result
    from hub.delivery.tables import Order

TELL_SECONDS, SYNTHESIS = 1.0, "synthesis"
UNCONNECTED = "the data set must be connected to a federation, got none; ask the operator"
Privacy = dict[str, Any]


def computed_asset(federation: Federation, open_hub: OpenHub) -> dg.AssetsDefinition:
    """The asset ``computed`` of one use case, partitioned by order."""
    use_case = federation.use_case

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], kinds={"mpc"}, partitions_def=ORDERS,
        description="What hospitals computed together for one order of the hub: an answer, or a synthetic table.",
    )  # fmt: skip
    def computed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        desk = Desk(open_hub(), context.partition_key, context.run.run_id)
        return worked_off(
            desk, federation.cohort.name, lambda order: _Work(context, desk, federation, order).delivered()
        )

    return computed


class Watch:
    """Follows a job: its progress goes to the run's log and, at most once a second, to the order's page.

    Raises ``Unwanted`` once when the order has ended meanwhile; the job then ends as cancelled at every party.
    """

    def __init__(self, desk: Desk, job: "Job", log: "Callable[[Progress], None]") -> None:
        self.desk, self.job, self._log = desk, job, log
        idle = {"stage": "waiting", "note": "", "rounds": 0, "bytes": 0, "seconds": 0.0}
        self.parties: dict[str, dict[str, Any]] = {name: dict(idle) for name in job.participants}
        self._told, self._since, self._over = "", 0.0, False

    @property
    def stage(self) -> str:
        """What the parties do as a whole."""
        stages = {one["stage"] for one in self.parties.values()}
        return "computing" if stages & {"running", "done"} else "asking"

    def __call__(self, progress: "Progress") -> None:
        self._log(progress)
        f = progress.figures
        news = {"rounds": f.rounds, "bytes": f.bytes, "seconds": f.seconds}
        self.parties[progress.party] = {"stage": progress.stage, "note": progress.note, **news}
        if self._over or (self.stage == self._told and time.monotonic() - self._since < TELL_SECONDS):
            return
        self.tell(self.stage)

    def tell(self, stage: str) -> None:
        """Say where the job stands."""
        self._told, self._since = stage, time.monotonic()
        try:
            self.desk.tell(stage, parties=self.parties, job_sha256=self.job.sha256)
        except Unwanted:
            self._over = True
            raise


@dataclass(frozen=True)
class _Work:
    """One order on its way to its artefact."""

    context: dg.AssetExecutionContext
    desk: Desk
    federation: Federation
    order: "Order"

    def delivered(self) -> dict[str, Any]:
        """Ask, judge, hand over; what the run's page shows."""
        from federation.jobs.ends import BUDGET, REFUSED, JobEndedError

        self._must_be_allowed()
        job = self._job()
        watch = Watch(self.desk, job, logged(self.context, job))
        watch.tell("asking")
        try:
            self._must_be_left(job)
            answer = self._synthesis(job, watch) if job.kind == SYNTHESIS else self._answer(job, watch)
        except JobEndedError as error:
            self.context.log.warning(str(error))
            words = self._without_addresses(error.end)
            if error.end.kind in (REFUSED, BUDGET):
                self._refused(words)
            raise PhaseIVError(words) from error
        except BudgetError as error:  # spent meanwhile by others
            self._refused(str(error))
            raise
        watch.tell("packing")
        return self._handed_over(answer)

    def _must_be_allowed(self) -> None:
        from hub.computations.service import must_still_allow

        with self.desk.hub.database.read() as session:
            must_still_allow(session, self.desk.hub, self.order, self.desk.hub.clock())

    def _refused(self, words: str) -> None:
        """Somebody would not take part: what was bought is given back."""
        from hub.market import computing

        if self.order.purchase_id is not None:
            with self.desk.hub.database.write() as session:
                computing.refused(session, self.desk.hub, self.order.id, words, self.desk.hub.clock())

    def _job(self) -> "Job":
        from federation.jobs.codebook import digests
        from federation.jobs.job import issued

        asked, settings = self.order.question or {}, self._settings()
        touched = [*asked["columns"], *(one["column"] for one in asked["filters"])]
        described = {name: asked[name] for name in ("kind", "columns", "filters", "parameters", "minimum_count")}
        return issued(
            described | self._privacy() | {
                "id": self.order.id, "participants": asked["participants"] or list(settings.parties),
                "dataset": self.federation.cohort.name, "codebook": digests(self.federation.schema, touched),
                "expires_at": self.order.deadline.isoformat(),
            },
            researcher=settings.name,
        )  # fmt: skip

    def _settings(self) -> Any:
        try:
            return self.federation.settings
        except PhaseIVError as error:
            # The words name files of this machine.
            self.context.log.error(str(error))
            raise ParameterError(UNCONNECTED) from error

    def _privacy(self) -> Privacy:
        from records.accounting import epsilon_to_rho

        if not self.order.epsilon:
            return {}
        delta, collusion = self.federation.use_case.delta, (self.order.question or {}).get("collusion")
        spent = {"rho": epsilon_to_rho(self.order.epsilon, delta), "epsilon": self.order.epsilon, "delta": delta}
        return spent if collusion is None else spent | {"collusion": collusion}

    def _must_be_left(self, job: "Job") -> None:
        """Refuse before any hospital has debited its own budget for nothing."""
        from hub.budget import BudgetLedger

        cohort, total = self.federation.cohort.name, self.federation.use_case.budget_rho
        left = total - BudgetLedger(self.federation.workspace.ledger_url).spent(cohort)
        if job.rho is not None and job.rho > left:
            words = (
                f"the computation must fit what is left of the budget of {cohort}, rho {max(left, 0):.4f}, got "
                f"{job.rho:.4f}; ask for a smaller epsilon"
            )
            raise BudgetError(words)

    def _pay(self, job: "Job") -> None:
        """Debit this deployment's ledger, once all parties have agreed to the job: a refused one costs nothing here."""
        from hub.budget import BudgetLedger

        if job.rho is not None:
            use_case = self.federation.use_case
            BudgetLedger(self.federation.workspace.ledger_url).debit(
                self.federation.cohort.name, rho=job.rho, total_rho=use_case.budget_rho, epsilon=self.order.epsilon,
                delta=use_case.delta, question=job.sha256, run_id=self.desk.run_id,
            )  # fmt: skip

    def _answer(self, job: "Job", watch: Watch) -> Answer:
        from federation.party.researcher import Researcher

        async def ran() -> "Result":
            settings = self.federation.settings
            async with Researcher(settings) as asking, asking.session(job, on_progress=watch) as session:
                self._pay(job)
                return await session.finish()

        result = asyncio.run(ran())
        watch.tell("checking")
        spend = {**self._privacy(), "neighbouring": ADD_REMOVE_PATIENT} if job.rho is not None else None
        return self._recorded(Answer(job, result, spend))

    def _synthesis(self, job: "Job", watch: Watch) -> Answer:
        from deidentification.schema import released_schema
        from federation.oracle import federated_oracle
        from models.attributes import attribute_levels
        from models.graphical_synthesizer import GraphicalSynthesizer

        schema = released_schema(self.federation.cohort.table)
        schema = schema.select(name for name in schema.names if name in job.columns)
        model = GraphicalSynthesizer(delta=self.federation.use_case.delta)
        assert job.rho is not None  # a synthesis is always ordered with an epsilon
        with federated_oracle(self.federation.settings, job, attribute_levels(schema), watch) as oracle:
            self._pay(job)
            model.fit_oracle(oracle, schema, budget=job.rho)
            result = oracle.finish()
        watch.tell("checking")
        frame = model.sample(self.order.rows or None, rng=np.random.default_rng())
        table = TableFile(frame, sha256(parquet_bytes(frame)))
        spend = told(model.privacy_, job.colluding, len(job.participants))
        return self._recorded(
            Answer(job, result, spend, table, self._judged(table, schema, spend, model.expected_error_))
        )

    def _judged(self, table: TableFile, schema: Any, spend: Privacy, expected_error: float) -> Any:
        from metrics.fidelity.constraints import broken_rows
        from metrics.gate import Limits
        from metrics.gate_without_access import judge_without_access

        verdict = judge_without_access(
            candidate_sha256=table.sha256, rows=table.frame.height, spend=spend, expected_error=expected_error,
            broken_rows=broken_rows(table.frame, schema)["broken_rows"],
            limits=Limits.model_validate(dict(self.federation.use_case.limits)),
        )  # fmt: skip
        if not verdict.released:
            raise GateError("the gate refused the table: " + "; ".join(verdict.reasons))
        return verdict

    def _recorded(self, answer: Answer) -> Answer:
        files = {"job.json": as_bytes(answer.job.model_dump(mode="json"))}
        shown = self.federation.recorded(self.context, f"order {answer.job.kind}", answer.job, answer.result, files)
        return answer.tracked(shown["mlflow_run_id"])

    def _handed_over(self, answer: Answer) -> dict[str, Any]:
        from hub.delivery import orders

        hub, cohort = self.desk.hub, self.federation.cohort
        with tempfile.TemporaryDirectory(prefix="order") as folder:
            package, report = write_answer(Path(folder), self.order, answer, cohort)
            facts = figures_of(self.order, answer) | {"report": report}
            with hub.database.write() as session:
                made = orders.hand_over(
                    session, hub, self.order.id, package=package, title=cohort.table.title, shown=facts, now=hub.clock()
                )
                artefact = made.id
        return {"artefact": artefact, "job_sha256": answer.job.sha256, "mlflow_run_id": answer.mlflow_run}

    def _without_addresses(self, end: "End") -> str:
        """Where hospitals listen is no applicant's business."""
        from federation.jobs.ends import LOST, End, JobEndedError

        plain = End.by(LOST, end.party) if end.kind == LOST and end.party else end
        words = str(JobEndedError(plain))
        for address in self.federation.settings.parties.values():
            words = words.replace(address, "its address")
        return words
