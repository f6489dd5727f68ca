"""Appending: order, savepoints, two processes, and a store that refuses changes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from hub.audit.append_only import protect
from hub.audit.heads import sign_head
from hub.audit.log import Event, record, record_many
from hub.audit.reading import verified
from hub.audit.tables import Entry
from hub.database.engine import Database
from hub.deployment import Deployment

WRITER = """
import sys
from datetime import UTC, datetime
from hub.audit.log import record
from hub.database.engine import Database

database = Database(sys.argv[1])
for number in range(60):
    with database.write() as session:
        for part in range(3):
            record(session, now=datetime.now(UTC), actor=sys.argv[2], action="thing.done", subject=f"thing:{number}", part=part)
"""


def kept(hub: Deployment) -> list[str]:
    with hub.database.read() as session:
        assert verified(session, hub.keys).intact
        return list(session.scalars(sa.select(Entry.subject).order_by(Entry.number)))


def append(session: Session, hub: Deployment, subject: str) -> int:
    return record(session, now=hub.clock(), actor="system", action="thing.done", subject=subject)


def test_many_are_appended_as_one_by_one(hub: Deployment) -> None:
    with hub.database.write() as session:
        assert append(session, hub, "thing:1") == 1
        assert record_many(session, [Event("a", "b.c", f"thing:{n}", {"n": n}) for n in (2, 3)], now=hub.clock()) == 3
        assert record_many(session, [], now=hub.clock()) == 3
        assert append(session, hub, "thing:4") == 4
    assert kept(hub) == ["thing:1", "thing:2", "thing:3", "thing:4"]


def test_a_rolled_back_step_leaves_no_entry_and_no_gap(hub: Deployment) -> None:
    def step() -> None:
        with hub.database.write() as session:
            append(session, hub, "thing:lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        step()
    with hub.database.write() as session:
        append(session, hub, "thing:1")
    assert kept(hub) == ["thing:1"]


def test_a_rolled_back_savepoint_leaves_no_gap(hub: Deployment) -> None:
    with hub.database.write() as session:
        append(session, hub, "thing:1")
        savepoint = session.begin_nested()
        append(session, hub, "thing:lost")
        savepoint.rollback()
        append(session, hub, "thing:2")
        with session.begin_nested():
            append(session, hub, "thing:3")
        append(session, hub, "thing:4")
    assert kept(hub) == ["thing:1", "thing:2", "thing:3", "thing:4"]


def test_a_session_that_goes_on_after_a_commit_sees_other_writers(hub: Deployment) -> None:
    with hub.database.write() as session:
        append(session, hub, "thing:1")
        session.commit()
        with hub.database.write() as other:
            append(other, hub, "thing:2")
        append(session, hub, "thing:3")
    assert kept(hub) == ["thing:1", "thing:2", "thing:3"]


REFUSED = ["UPDATE audit_entries SET actor = 'nobody'", "DELETE FROM audit_entries", "DELETE FROM audit_heads",
           "UPDATE audit_heads SET size = size + 1"]  # fmt: skip
REPLACED = ("INSERT OR REPLACE INTO audit_entries SELECT number, at, 'nobody', action, subject, detail, former, 'x' "
            "FROM audit_entries WHERE number = 1")  # fmt: skip


def must_refuse(database: Database, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), database.write() as session:
        session.execute(sa.text(statement))


def begun(database: Database, hub: Deployment) -> None:
    with database.write() as session:
        append(session, hub, "thing:1")
        sign_head(session, hub.keys, hub.clock())


@pytest.mark.parametrize("statement", [*REFUSED, REPLACED])
def test_sqlite_refuses_changes(hub: Deployment, statement: str) -> None:
    begun(hub.database, hub)
    must_refuse(hub.database, statement)
    assert kept(hub) == ["thing:1"]


def test_postgres_refuses_changes(on_postgres: Deployment) -> None:
    begun(on_postgres.database, on_postgres)
    for statement in [*REFUSED, "TRUNCATE audit_entries", "TRUNCATE audit_heads"]:
        must_refuse(on_postgres.database, statement)
    with on_postgres.database.engine.begin() as connection:
        protect(connection)  # once more changes nothing
    assert kept(on_postgres) == ["thing:1"]


def two_processes(url: str, who: Callable[[str], list[str]]) -> None:
    running = [subprocess.Popen([*who(url), name], stderr=subprocess.PIPE, text=True) for name in ("one", "two")]
    for process in running:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told


@pytest.mark.slow
def test_two_processes_on_sqlite_make_one_chain(hub: Deployment) -> None:
    two_processes(hub.database.url, lambda url: [sys.executable, "-c", WRITER, url])
    assert_one_chain(hub)


@pytest.mark.slow
def test_two_processes_on_postgres_make_one_chain(on_postgres: Deployment) -> None:
    two_processes(on_postgres.database.url, lambda url: [sys.executable, "-c", WRITER, url])
    assert_one_chain(on_postgres)


def assert_one_chain(hub: Deployment) -> None:
    with hub.database.write() as session:
        assert sign_head(session, hub.keys, hub.clock()) is not None
        verdict = verified(session, hub.keys)
        assert (verdict.intact, verdict.size) == (True, 360)
        actors = session.scalars(sa.select(Entry.actor).order_by(Entry.number)).all()
    # A transaction's entries lie together.
    assert all(len(set(actors[start : start + 3])) == 1 for start in range(0, 360, 3))


def test_protection_may_be_set_again(hub: Deployment, tmp_path: Path) -> None:
    with hub.database.engine.begin() as connection:
        protect(connection)
