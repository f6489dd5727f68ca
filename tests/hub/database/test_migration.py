"""A migrated store is the store that the code describes, in SQLite and Postgres, and can be made by many at once."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.database.engine import Database
from hub.database.migration import differences, migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path / 'hub.db'}")
    url = request.getfixturevalue("postgres")
    name = f"migrated_{tmp_path.name}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    return Database(url.rsplit("/", 1)[0] + f"/{name}")


def test_code_and_migrations_agree(database: Database) -> None:
    migrate(database)
    assert differences(database) == []
    migrate(database)


def test_many_may_migrate_at_once(database: Database) -> None:
    failures: list[Exception] = []

    def one() -> None:
        try:
            migrate(Database(database.url))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert differences(database) == []


def test_a_migrated_store_searches_and_keeps_its_log(database: Database) -> None:
    migrate(database)
    with database.write() as session:
        session.execute(sa.text("INSERT INTO audit_entries VALUES (1, 't', 'a', 'b', 'c', '{}', 'f', 'd')"))
    with database.write() as session, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        session.execute(sa.text("UPDATE audit_entries SET actor = 'x'"))
