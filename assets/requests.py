"""Synthetic data on demand: one partition for each order of the hub.

Belongs here: working off one order: learn, measure, judge, hand over. Does not belong here: noticing orders
(``orchestration``), or who may order (``hub``). Each order ends in one state: handed over, or failed with a reason its
applicant can read.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

from assets.answers import SynthesisConfig, answered
from assets.evaluation import EVALUATION_SEED
from assets.manifest import data_version, pooled
from assets.workspace import Workspace
from records.errors import ParameterError, PhaseIVError
from records.files import TableFile, parquet_bytes, read_table_file, sha256
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

if TYPE_CHECKING:
    from hub.delivery.tables import Order
    from hub.deployment import Deployment

OpenHub = Callable[[], "Deployment"]
ORDERS = dg.DynamicPartitionsDefinition(name="hub_orders")
ANOTHER_COHORT = "the data set must be of the cohort that is connected here, got another; ask the operator"


class Unwanted(Exception):
    """The order was cancelled, revoked or timed out while the run worked on it."""


@dataclass(frozen=True)
class Made:
    """What an order delivers: the judged table and everything that was found about it."""

    table: TableFile
    manifest: dict[str, Any]
    reports: dict[str, Any]


def requested_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace, open_hub: OpenHub) -> dg.AssetsDefinition:
    """The asset ``requested`` of one use case, partitioned by order."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], kinds={"parquet"},
        partitions_def=ORDERS, description="Synthetic data made for one request of the hub, if the gate lets it pass.",
        deps=[dg.AssetDep([use_case.key, "deidentified"], partition_mapping=dg.AllPartitionMapping())],
    )  # fmt: skip
    def requested(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from deidentification.schema import released_schema

        desk = Desk(open_hub(), context.partition_key, context.run.run_id)

        def deliver(order: "Order") -> dict[str, Any]:
            must_have_columns(order, released_schema(cohort.table).names)
            made = _made(order, desk, use_case, cohort, workspace)
            artefact = _delivered(made, order, desk, use_case, cohort, workspace)
            facts = {"candidate_sha256": made.table.sha256, "mlflow_run_id": made.manifest["mlflow_run"]}
            return {"artefact": artefact, "rows": order.rows, **facts}

        return worked_off(desk, cohort.name, deliver)

    return requested


def worked_off(
    desk: "Desk", cohort: str, deliver: "Callable[[Order], dict[str, Any]]"
) -> dg.MaterializeResult:  # fmt: skip
    """Claim the order and deliver it from the named cohort; whatever goes wrong ends it with a reason its applicant can read."""
    order = desk.begin()
    try:
        must_be_of(desk.hub, cohort, order.dataset_id)
        facts = deliver(order)
    except Unwanted:
        return dg.MaterializeResult(metadata={"delivered": False, "reason": "the order was withdrawn"})
    except PhaseIVError as error:
        desk.fail(str(error))
        raise dg.Failure(str(error), allow_retries=False) from error
    except Exception:
        # What went wrong inside may name columns or values: the applicant reads only that it did.
        desk.fail("the data could not be made, got an error inside; the operator finds it in the run's log")
        raise
    return dg.MaterializeResult(metadata={"delivered": True, **facts})


def must_be_of(hub: "Deployment", cohort: str, dataset_id: str) -> None:
    """Refuse a data set of another cohort: a use case has one at a time, which its operator may change.

    Raises
    ------
    ParameterError
        The catalogue names another cohort.
    """
    from hub.catalogue.tables import Dataset

    with hub.database.read() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is not None and dataset.cohort not in (None, cohort):
            raise ParameterError(ANOTHER_COHORT)


def must_have_columns(order: "Order", names: Sequence[str]) -> None:
    """Refuse an order of columns that there are not, before anything is paid for.

    Raises
    ------
    ParameterError
        It asks for others than ``names``.
    """
    if unknown := set(order.columns or ()) - set(names):
        raise ParameterError(
            f"columns must be among {', '.join(names)}, got {len(unknown)} others; choose from the list"
        )


class Desk:
    """One order's place in the hub, as its run sees it."""

    def __init__(self, hub: "Deployment", order_id: str, run_id: str) -> None:
        self.hub, self.order_id, self.run_id = hub, order_id, run_id

    def begin(self) -> "Order":
        """Claim the order."""
        from hub.delivery import orders

        with self.hub.database.write() as session:
            return orders.begin(session, self.order_id, self.run_id, self.hub.clock())

    def tell(self, stage: str, **news: Any) -> None:
        """Say what is being done; ``news`` as in ``hub.delivery.orders.progress``.

        Raises
        ------
        Unwanted
            The order has ended meanwhile.
        """
        from hub.delivery import orders

        with self.hub.database.write() as session:
            wanted = orders.progress(session, self.order_id, stage, self.hub.clock(), **news)
        if not wanted:
            raise Unwanted

    def fail(self, reason: str) -> None:
        """End the order."""
        from hub.delivery import orders

        with self.hub.database.write() as session:
            orders.fail(session, self.order_id, reason, self.hub.clock())


def _made(order: "Order", desk: Desk, use_case: UseCase, cohort: Cohort, workspace: Workspace) -> Made:
    from assets.tracking import Tracking
    from deidentification.schema import released_schema
    from metrics.evaluation import evaluate
    from models.description import described

    schema = released_schema(cohort.table)
    parts = {site: read_table_file(workspace.table([use_case.key, "deidentified"], site)) for site in cohort.site_names}
    train, holdout = pooled(parts)
    version = data_version(parts)
    config = SynthesisConfig(synthesizer=order.synthesizer, epsilon=order.epsilon)
    model = answered(train, schema, use_case, version, config, workspace, run_id=desk.run_id)
    # Two orders of the same size get different rows of the same noisy answers: sampling costs no privacy.
    frame = model.sample(order.rows, rng=np.random.default_rng())
    candidate = TableFile(frame, sha256(parquet_bytes(frame)))
    desk.tell("measuring")
    reports = evaluate(train, holdout, frame, schema, seed=EVALUATION_SEED, candidate_sha256=candidate.sha256)
    desk.tell("checking")
    params = {
        "synthesizer": order.synthesizer, "epsilon": order.epsilon, "delta": use_case.delta, "cohort": cohort.name,
        "neighbouring": "add or remove one patient", "data_version": version, "order": order.id,
    }  # fmt: skip
    run = Tracking(workspace).record(
        use_case.key, f"order {order.synthesizer}", params=params, files={},
        metrics={"rows": frame.height, "tstr_auc": reports["utility"]["tstr_auc"], "mean_tvd2": reports["fidelity"]["mean_tvd2"],
                 "membership_auc": reports["privacy"]["auc"]},
        tags={"dagster_run_id": desk.run_id, "candidate_sha256": candidate.sha256},
    )  # fmt: skip
    manifest = {"candidate_sha256": candidate.sha256, "spend": model.privacy_.to_json(), "params": params,
                "model": described(model), "rows": frame.height, "mlflow_run": run}  # fmt: skip
    return Made(candidate, manifest, reports)


def _delivered(
    made: Made, order: "Order", desk: Desk, use_case: UseCase, cohort: Cohort, workspace: Workspace
) -> str:  # fmt: skip
    from assets.order_package import write_package
    from assets.page import candidate_page, verdict_on
    from assets.tracking import Tracking
    from hub.delivery import orders
    from records.errors import GateError

    judged = (made.reports["utility"], made.reports["fidelity"], made.reports["privacy"])
    verdict = verdict_on(use_case, made.manifest, made.table, *judged)
    if not verdict.released:
        raise GateError("the gate refused the table: " + "; ".join(verdict.reasons))
    desk.tell("packing")
    page, document, _ = candidate_page(use_case, cohort, workspace, made.table, made.manifest, *judged)
    Tracking(workspace).attach(made.manifest["mlflow_run"], {"report.html": page.encode()})
    summary, shown = leaving(document, cohort)
    with tempfile.TemporaryDirectory(prefix="order") as folder:
        package = write_package(Path(folder), order, made.table.frame, cohort, made.manifest, shown, summary)
        figures = {f["label"]: f["value"] for f in summary["figures"]}
        facts = {"rows": order.rows, "epsilon": order.epsilon, "candidate_sha256": made.table.sha256,
                 "figures": figures, "report": shown}  # fmt: skip
        with desk.hub.database.write() as session:
            made_artefact = orders.hand_over(
                session, desk.hub, order.id, package=package, title=cohort.table.title, shown=facts,
                now=desk.hub.clock(),
            )  # fmt: skip
            return made_artefact.id


def leaving(document: dict[str, Any], cohort: Cohort) -> tuple[dict[str, Any], str]:
    """What of the evaluation leaves the data side: rounded figures, and no curve of real patients."""
    from metrics.plots.distribution import released_survival_plot
    from metrics.reporting.public import public_page, public_summary, rounded

    summary, survival = public_summary(document), document["fidelity"].get("survival")
    summary["tstr_auc"] = rounded(document["utility"].get("tstr_auc"))
    picture = released_survival_plot(survival) if survival else None
    return summary, public_page(summary, cohort.source.citation, picture)
