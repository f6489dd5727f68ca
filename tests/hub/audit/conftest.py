"""A log with some history, and a way round the store's own protection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from hub.audit.heads import sign_head
from hub.audit.log import record
from hub.audit.verify import Verdict
from hub.deployment import Deployment

ENTRIES = 30


@pytest.fixture
def log(hub: Deployment) -> Deployment:
    """Thirty entries; heads were signed at 10 and at 20."""
    for number in range(1, ENTRIES + 1):
        with hub.database.write() as session:
            record(
                session, now=hub.clock(), actor="system", action="thing.done", subject=f"thing:{number}", part=number
            )
            if number in (10, 20):
                assert sign_head(session, hub.keys, hub.clock()) is not None
    return hub


@contextmanager
def without_triggers(hub: Deployment) -> Iterator[sa.Connection]:
    """Somebody with full rights over the database file."""
    with hub.database.engine.execution_options(writes=True).begin() as connection:
        names = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in names:
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
        yield connection


@pytest.fixture
def tampered(log: Deployment) -> Callable[..., Verdict]:
    """From SQL statements to the verdict after them."""

    def run(*statements: str) -> Verdict:
        from hub.audit.reading import verified

        with without_triggers(log) as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        with log.database.read() as session:
            return verified(session, log.keys)

    return run
