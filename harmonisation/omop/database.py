"""Databases that hold OMOP tables: SQLite, DuckDB or Postgres, by URL.

Belongs here: connections, and the tables as the package ``omop-cdm`` defines them. Does not belong here: moving rows
(``bulk``), or what may be written (``exchange``).

Foreign keys are left out, as OHDSI advises until the licensed vocabularies are loaded: every concept id would break
one. Keys are not numbered by the database.

References
----------
OMOP CDM v5.4; ``omop-cdm`` 0.7.0 (SQLAlchemy models made from the standard's DDL).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from records.errors import ParameterError, StorageError

DRIVERS = {"sqlite": "sqlite", "duckdb": "duckdb", "postgresql": "postgresql+psycopg2"}
URLS = "sqlite:///file.db, duckdb:///file.duckdb or postgresql://user@host/database"


@contextmanager
def writing(url: str) -> Iterator[sa.Connection]:
    """A transaction: kept whole at the end, or undone whole on any error.

    Raises
    ------
    ParameterError
        The URL is not of a known database.
    StorageError
        The database cannot be reached or refused the rows; it is as it was.
    """
    file = _file(sa_url(url))
    new = file is not None and not file.exists()
    try:
        with _connected(url, read_only=False) as connection, connection.begin():
            yield connection
    except BaseException:  # Ctrl-C, too, leaves no half file
        if new and file is not None:
            file.unlink(missing_ok=True)
        raise


@contextmanager
def reading(url: str) -> Iterator[sa.Connection]:
    """A connection that cannot write.

    Raises
    ------
    ParameterError
        The URL is not of a known database.
    StorageError
        The database does not exist or cannot be read.
    """
    file = _file(sa_url(url))
    if file is not None and not file.is_file():
        raise StorageError(f"the OMOP database must exist, got no file {file.name}; check the URL")
    with _connected(url, read_only=True) as connection:
        yield connection


def create_tables(connection: sa.Connection) -> None:
    """Make the model's tables that are missing."""
    for table in _metadata(connection.dialect.name).sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))


def create_indexes(connection: sa.Connection) -> None:
    """Make the model's indexes that are missing; after the rows are in, which is faster."""
    for table in _metadata(connection.dialect.name).sorted_tables:
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))


@dataclass(frozen=True)
class Stored:
    """A table as a database names it, and field of the model to its column, whatever their case."""

    name: str
    columns: Mapping[str, str]


def stored_tables(connection: sa.Connection) -> dict[str, Stored]:
    """Tables of the connection's own schema by lower-case name."""
    if connection.dialect.name == "sqlite":
        inspector = sa.inspect(connection)
        pairs = [
            (table, column["name"]) for table in inspector.get_table_names() for column in inspector.get_columns(table)
        ]
    else:
        query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        pairs = [(row[0], row[1]) for row in connection.exec_driver_sql(query)]
    columns: dict[str, dict[str, str]] = {}
    for table, column in pairs:
        columns.setdefault(table, {})[column.lower()] = column
    return {table.lower(): Stored(table, found) for table, found in columns.items()}


def sa_url(text: str) -> sa.URL:
    """The URL with the driver that this project uses.

    Raises
    ------
    ParameterError
        It is not the URL of a known database.
    """
    try:
        url = sa.make_url(text)
        return url.set(drivername=DRIVERS[url.get_backend_name()])
    except (ArgumentError, KeyError, ValueError):
        # The URL may hold a password, and a wrong one may have it where its port should be.
        raise ParameterError(f"the OMOP database must have a URL such as {URLS}, got another form; change it") from None


def _metadata(dialect: str) -> sa.MetaData:
    from omop_cdm.regular.cdm54 import Base

    target = sa.MetaData()
    for model in Base.metadata.tables.values():
        table = sa.Table(model.name, target, *(_column(column, dialect) for column in model.columns))
        for index in model.indexes:
            sa.Index(index.name, *(table.columns[column.name] for column in index.columns))
    return target


def _column(model: sa.Column, dialect: str) -> sa.Column:
    # DuckDB's NUMERIC would keep three decimals only.
    kind = sa.Double() if dialect == "duckdb" and type(model.type) is sa.Numeric else model.type
    return sa.Column(model.name, kind, primary_key=model.primary_key, nullable=model.nullable, autoincrement=False)


@contextmanager
def _connected(url: str, *, read_only: bool) -> Iterator[sa.Connection]:
    engine = _engine(sa_url(url), read_only)
    driver = getattr(engine.dialect.dbapi, "Error", SQLAlchemyError)
    try:
        with engine.connect() as connection:
            yield connection
    except (SQLAlchemyError, driver) as error:
        # The message may quote rows or the URL; the type of the error does not.
        kind = type(getattr(error, "orig", None) or error).__name__
        raise StorageError(
            f"the OMOP database must carry this out, got {kind}; check URL, server and tables, it is as it was"
        ) from None
    finally:
        engine.dispose()


def _engine(url: sa.URL, read_only: bool) -> sa.Engine:
    backend = url.get_backend_name()
    try:
        if backend == "sqlite":
            return _sqlite(url, read_only)
        options = {"connect_args": {"read_only": read_only}} if backend == "duckdb" else {}
        engine = sa.create_engine(url, **options)
    except ImportError as error:
        raise ParameterError(f"{backend} must have its driver, got none; install phaseiv[{backend}]") from error
    return engine.execution_options(postgresql_readonly=True) if backend == "postgresql" and read_only else engine


def _sqlite(url: sa.URL, read_only: bool) -> sa.Engine:
    file = _file(url)
    if file is not None and read_only:
        url = sa.URL.create("sqlite", database=f"file:{file}", query={"mode": "ro", "uri": "true"})
    engine = sa.create_engine(url)
    # The driver must not begin transactions by itself: it would leave the making of tables out of them.
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _file(url: sa.URL) -> Path | None:
    if url.get_backend_name() == "postgresql" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database)).absolute()
