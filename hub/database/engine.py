"""The connection to SQLite or Postgres, and transactions.

Belongs here: engines and sessions. Does not belong here: queries.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from hub.database.base import Base
from hub.database.tables import ALL

WRITERS_LOCK = 7_204_118  # any number that no other program locks


class Database:
    """The hub's store at a SQLAlchemy URL: SQLite, or Postgres as ``postgresql+psycopg2://user@host/database``."""

    def __init__(self, url: str) -> None:
        self.url = url
        sqlite = url.startswith("sqlite")
        # Readers and writers of a web server wait for each other; an error "database is locked" would be a 500.
        self.engine = sa.create_engine(
            url,
            connect_args={"timeout": 30, "check_same_thread": False} if sqlite else {},
            # As many as requests that are served at once are kept; making a connection costs more than most queries.
            pool_size=30,
            max_overflow=30,
        )
        if sqlite:
            event.listen(self.engine, "connect", _prepared)
            event.listen(self.engine, "begin", _begin)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._writers = sessionmaker(self.engine.execution_options(writes=True), expire_on_commit=False)

    def create(self) -> None:
        """Make missing tables at once, for tests; deployments use the migrations."""
        Base.metadata.create_all(self.engine, tables=[Base.metadata.tables[name] for name in ALL])

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; nothing is kept."""
        with self._sessions() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed whole at the end, or rolled back whole on any error."""
        with self._writers() as session:
            try:
                yield session
                session.commit()
            except BaseException:
                # The page that tells of the error still shows who is signed in; a rollback would empty the objects.
                session.expunge_all()
                session.rollback()
                raise


def _prepared(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    # The driver must not begin transactions by itself: a writer takes its lock with the first statement.
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()
    # What is deleted is overwritten: a destroyed key must not survive in free pages.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # Two writers that read first and write later would both act on the same old state.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
