"""The sensor of orders starts runs first and tells budgets last: what goes wrong there, or takes place lately, stops no order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from hub.database.engine import Database
from hub.delivery import orders
from hub.delivery.tables import Order, OrderState
from hub.deployment import Deployment
from hub.keys import load_keys
from hub.people import accounts
from hub.people.roles import Role
from hub.settings import HubSettings
from orchestration.orders import order_sensors


class Clock:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hub(tmp_path: Path) -> Deployment:
    settings = HubSettings(home=tmp_path / "hub", demo=True)
    made = Deployment(settings, Database(settings.url), load_keys(settings), Clock())
    made.database.create()
    return made


@pytest.fixture
def order_id(hub: Deployment) -> str:
    """Of an order that waits."""
    now, roles = hub.clock(), frozenset({Role.DEVELOPER})
    with hub.database.write() as session:
        person = accounts.create(session, now=now, email="d@example.org", name="D", roles=roles, password=None)
        order = Order(
            permit_id="p", offer_id="o", person_id=person.id, dataset_id="d", synthesizer="auto", formats=["csv"], rows=9,
            epsilon=1.0, use_case="stroke", created_at=now, updated_at=now, deadline=now + orders.TIME_LIMIT,
        )  # fmt: skip
        session.add(order)
        session.flush()
        return order.id


def ticked(hub: Deployment, tell: Callable[[Deployment], object], cursor: str | None = None) -> dg.SensorResult:
    @dg.op
    def nothing() -> None: ...

    @dg.job(name="stroke_on_demand")
    def job() -> None:
        nothing()

    sensor = next(one for one in order_sensors([job], lambda: hub, tell) if one.name == "hub_orders")
    with dg.DagsterInstance.ephemeral() as instance:
        made = sensor(dg.build_sensor_context(instance, cursor=cursor))
    assert isinstance(made, dg.SensorResult)
    return made


def test_an_error_in_telling_stops_no_order(hub: Deployment, order_id: str) -> None:
    seen: list[str] = []

    def tell(_: Deployment) -> None:
        with hub.database.read() as session:
            seen.append(session.get_one(Order, order_id).state)
        raise OSError("the ledger is away")

    made = ticked(hub, tell)
    assert seen == [OrderState.LAUNCHED]  # told last
    assert [one.run_key for one in made.run_requests or []] == [order_id]


def test_budgets_are_told_at_most_every_fifteen_seconds(hub: Deployment) -> None:
    told: list[datetime] = []
    clock, cursor = hub.clock, None
    assert isinstance(clock, Clock)
    for _ in range(20):  # 40 seconds of ticks
        cursor = ticked(hub, lambda one: told.append(one.clock()), cursor).cursor
        clock.now += timedelta(seconds=2)
    assert [(one - told[0]).total_seconds() for one in told] == [0, 16, 32]
