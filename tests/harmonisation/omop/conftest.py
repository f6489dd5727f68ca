"""Databases to write to."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import postgres

__all__ = ["postgres"]


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("duckdb", "postgresql")]


@pytest.fixture(params=["sqlite", *SLOW])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database of each kind."""
    if request.param != "postgresql":
        return f"{request.param}:///{tmp_path}/omop.db"
    server = request.getfixturevalue("postgres")
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return server
