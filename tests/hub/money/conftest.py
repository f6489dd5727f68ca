"""Books with some history, and a way round the store's own protection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from hub.deployment import Deployment
from hub.money import heads
from hub.money.accounts import Place, bank, held, income, payable, receivable
from hub.money.check import Verdict, check
from hub.money.ledger import Posting, post
from hub.money.notary import LocalNotary

SOME = 30


def posting(number: int, *entries: tuple[Place, int]) -> Posting:
    """A transaction of a hundred cents more each time."""
    some = entries or ((receivable("payer"), 100 * number), (payable("holder"), -90 * number), (income(), -10 * number))
    return Posting(f"step:{number}", "sale", f"sale:{number}", tuple(some))


@pytest.fixture
def books(hub: Deployment) -> Deployment:
    """Thirty transactions; heads were signed at 10 and at 20."""
    for number in range(1, SOME + 1):
        with hub.database.write() as session:
            post(session, posting(number), now=hub.clock())
            if number in (10, 20):
                assert heads.sign(session, LocalNotary(hub.keys), hub.clock()) is not None
    return hub


def checked(hub: Deployment, *kept: object) -> Verdict:
    """The verdict now."""
    with hub.database.read() as session:
        return check(session, LocalNotary(hub.keys), kept)  # type: ignore[arg-type]


@contextmanager
def without_triggers(hub: Deployment) -> Iterator[sa.Connection]:
    """Somebody with full rights over the database file."""
    with hub.database.engine.execution_options(writes=True).connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("PRAGMA ignore_check_constraints=ON")
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        with connection.begin():
            yield connection
        raw.execute("PRAGMA ignore_check_constraints=OFF")
        raw.execute("PRAGMA foreign_keys=ON")


@pytest.fixture
def tampered(books: Deployment) -> Callable[..., Verdict]:
    """From SQL statements to the verdict after them."""

    def run(*statements: str) -> Verdict:
        with without_triggers(books) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        return checked(books)

    return run


__all__ = ["SOME", "bank", "checked", "held", "posting", "without_triggers"]
