"""Sensors between the hub and Dagster: orders become runs, and ended runs end their orders.

Belongs here: launching each order once, stopping runs nobody wants, failing orders whose run died. Does not belong here:
making the data (``assets.requests``, ``assets.federated_orders``).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from assets.factory import computation_job, on_demand_job
from assets.images.factory import images_on_demand_job
from assets.requests import ORDERS, OpenHub
from records.errors import PhaseIVError

if TYPE_CHECKING:
    from hub.delivery.tables import Order
    from hub.deployment import Deployment

    Tell = Callable[[Deployment], object]

EVERY_SECONDS = 2
ENDED_SECONDS = 15  # each tick costs processor time, and only runs that died are told this way
TELL_SECONDS = 15  # orders do not hang on it: the data side decides again before it looks at the data
PARTITION_TAG = "dagster/partition"
RUNNING = [DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


def order_sensors(jobs: Sequence[Any], open_hub: OpenHub, tell: "Tell") -> list[dg.SensorDefinition]:
    """All three sensors; they run as soon as Dagster's daemon does. ``tell`` says to the hub what budgets are left."""
    return [_arrivals(jobs, open_hub, tell), *_endings(jobs, open_hub)]


def job_of(order: "Order") -> str:
    """The job that works off an order: on this side's tables or images, or by asking the hospitals' parties."""
    return {"mpc": computation_job, "images": images_on_demand_job}.get(order.kind, on_demand_job)(order.use_case)


def reached(open_hub: OpenHub) -> "Deployment | dg.SkipReason":
    """The hub, or why there is nothing to work for: Dagster also runs without one."""
    import sqlalchemy as sa
    from sqlalchemy.exc import SQLAlchemyError

    from hub.delivery.tables import Order

    try:
        hub = open_hub()
        with hub.database.read() as session:
            session.execute(sa.select(Order.id).limit(1))
    except PhaseIVError as error:
        return dg.SkipReason(f"no hub: {error}")
    except SQLAlchemyError:
        return dg.SkipReason("no hub: its store must have its tables, got none; start the hub once (phaseiv up)")
    return hub


def _arrivals(jobs: Sequence[Any], open_hub: OpenHub, tell: "Tell") -> dg.SensorDefinition:
    @dg.sensor(
        name="hub_orders", jobs=jobs, minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts one run for each order of the hub, ends late orders, stops runs nobody wants any more.",
    )  # fmt: skip
    def hub_orders(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        hub = reached(open_hub)
        if isinstance(hub, dg.SkipReason):
            return hub
        waiting = _launched(hub, context.instance)
        # The run key makes it once: a tick that dies before it is recorded asks for the same run again.
        requests = [dg.RunRequest(run_key=o, job_name=job, partition_key=o) for o, job in waiting]
        new = ORDERS.build_add_request([o for o, _ in waiting])
        return dg.SensorResult(
            run_requests=requests, dynamic_partitions_requests=[new] if waiting else [], cursor=_told(context, hub, tell)
        )  # fmt: skip

    return hub_orders


def _launched(hub: "Deployment", instance: DagsterInstance) -> list[tuple[str, str]]:
    """Orders that wait for a run, with their jobs; what is late or nobody wants any more is stopped."""
    from hub.delivery import orders

    with hub.database.write() as session:
        late = orders.overdue(session, hub.clock())
        waiting = [(o.id, job_of(o)) for o in orders.waiting(session)]
        unwanted = orders.unwanted(session, hub.clock())
    _stop(instance, [*late, *unwanted])
    with hub.database.write() as session:
        for order_id, _ in waiting:
            orders.launch(session, order_id, hub.clock())
    return waiting


def _told(context: dg.SensorEvaluationContext, hub: "Deployment", tell: "Tell") -> str:
    """Say what budgets are left, unless it was said lately; returns when, which the sensor keeps as its cursor."""
    now, last = hub.clock().timestamp(), float(context.cursor or 0)
    if 0 <= now - last < TELL_SECONDS:
        return str(last)
    try:
        tell(hub)
    except Exception as error:  # whatever it is, orders do not wait for it
        context.log.warning(f"the hub was not told what budgets are left: {type(error).__name__}: {error}")
    return str(now)


def _endings(jobs: Sequence[Any], open_hub: OpenHub) -> list[dg.SensorDefinition]:
    def ended(context: dg.RunStatusSensorContext, words: str) -> None:
        from hub.delivery import orders

        hub, order_id = open_hub(), context.dagster_run.tags.get(PARTITION_TAG)
        if order_id is not None:
            with hub.database.write() as session:
                orders.fail(session, order_id, words, hub.clock())

    def sensor(status: DagsterRunStatus, words: str) -> dg.SensorDefinition:
        @dg.run_status_sensor(
            run_status=status, name=f"hub_orders_{status.value.lower()}", monitored_jobs=list(jobs),
            minimum_interval_seconds=ENDED_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING,
            description="Ends the order of a run that ended without handing anything over.",
        )  # fmt: skip
        def of_run(context: dg.RunStatusSensorContext) -> None:
            ended(context, words)

        return of_run

    return [
        sensor(DagsterRunStatus.FAILURE, "the run ended without a result; ask again, or ask the operator"),
        sensor(DagsterRunStatus.CANCELED, "the run was stopped by the operator; ask again"),
    ]


def _stop(instance: DagsterInstance, order_ids: Sequence[str]) -> None:
    for order_id in order_ids:
        wanted = RunsFilter(tags={PARTITION_TAG: order_id}, statuses=RUNNING)
        for run in instance.get_runs(wanted):
            try:
                instance.run_launcher.terminate(run.run_id)
            except (PhaseIVError, dg.DagsterError):
                # It ended by itself meanwhile; the order has ended already.
                continue
