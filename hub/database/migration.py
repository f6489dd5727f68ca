"""Bringing a store to the present tables, and finding what a new migration must hold.

Belongs here: calls of alembic. Does not belong here: the changes.
"""

import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from hub.database.base import Base
from hub.database.engine import Database
from hub.database.tables import ALL

FIRST_USE_LOCK = 7_204_120  # any number that no other program locks


def migrate(database: Database) -> None:
    """Bring the store to the newest revision; several processes may do so at once."""
    with database.engine.execution_options(writes=True).begin() as connection:
        if database.engine.dialect.name == "postgresql":
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({FIRST_USE_LOCK})"))
        command.upgrade(configuration(connection), "head")


def revise(words: str) -> None:
    """Write the migration that brings the newest revision to the tables in the code; read it before you keep it."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/hub.db")
        migrate(database)
        with database.engine.execution_options(writes=True).begin() as connection:
            command.revision(configuration(connection), words, autogenerate=True)


def differences(database: Database) -> list[Any]:
    """What the tables in the code have that the migrated store has not, and the other way round."""
    with database.engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: name in ALL or kind != "table"}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def configuration(connection: sa.Connection) -> Config:
    """Alembic's settings for a connection."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made
