"""Many rows in and out of a database at the speed of its own bulk path.

Belongs here: one table's rows through COPY (Postgres), Arrow (DuckDB) or prepared statements (SQLite). Does not belong
here: which rows (``exchange``).

References
----------
PostgreSQL documentation, COPY (CSV format).
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from harmonisation.omop.database import Stored
from harmonisation.omop.tables import TABLES, Field
from records.errors import Problem

COPIED_ROWS = 500_000  # per COPY, which keeps the text of a large table out of memory
FETCHED_ROWS = 200_000  # Python objects at a time
# The text goes to the driver as it is: a dialect with placeholders in percent would double the percent signs.
PLAIN = DefaultDialect(paramstyle="named")


def insert(connection: sa.Connection, table: str, frame: pl.DataFrame) -> None:
    """Add the rows within the connection's transaction."""
    if frame.is_empty():
        return
    fields = ", ".join(frame.columns)
    driver: Any = connection.connection.driver_connection
    match connection.dialect.name:
        case "postgresql":
            cursor = driver.cursor()
            for rows in frame.iter_slices(COPIED_ROWS):
                text = io.BytesIO()
                rows.write_csv(text, include_header=False, quote_style="non_numeric", null_value="")
                text.seek(0)
                cursor.copy_expert(f"COPY {table} ({fields}) FROM STDIN (FORMAT csv)", text)
        case "duckdb":
            driver.register("rows_to_insert", frame.to_arrow())
            driver.execute(f"INSERT INTO {table} ({fields}) SELECT {fields} FROM rows_to_insert")
            driver.unregister("rows_to_insert")
        case _:
            texts = frame.with_columns(pl.col(pl.Date, pl.Datetime).cast(pl.String))
            marks = ", ".join("?" * frame.width)
            driver.executemany(f"INSERT INTO {table} ({fields}) VALUES ({marks})", texts.iter_rows())


def fetch(
    connection: sa.Connection, table: str, stored: Stored, only: Mapping[str, Sequence[Any]]
) -> tuple[pl.DataFrame, list[Problem]]:
    """Rows of a table in the model's types, and where the stored values do not allow it; foreign columns are left.

    Parameters
    ----------
    only : mapping of str to sequence
        Field to wanted values; rows that match one of the fields come. Empty: all rows come.
    """
    columns = {field: stored.columns[field] for field in TABLES[table] if field in stored.columns}
    chosen = [sa.column(name).label(field) for field, name in columns.items()]
    query = sa.select(*chosen).select_from(sa.table(stored.name))
    wanted = [_among(columns[field], values) for field, values in only.items() if field in columns]
    if wanted:
        query = query.where(sa.or_(*wanted))
    text = str(query.compile(dialect=PLAIN, compile_kwargs={"literal_binds": True}))
    fields = {field: TABLES[table][field] for field in columns}
    lost, parts = Counter[str](), [pl.DataFrame(schema={name: field.dtype for name, field in fields.items()})]
    for raw in _raw(connection, text, list(columns)):
        parts.append(pl.DataFrame([_typed(raw[name], field) for name, field in fields.items()]))
        lost += Counter({name: parts[-1][name].null_count() - raw[name].null_count() for name in fields})
    problems = [
        Problem(
            f"{table}.{name}",
            f"hold {fields[name].form.name.lower()} values",
            f"{count} that are not",
            "mend the database",
        )
        for name, count in lost.items()
    ]
    return pl.concat(parts), problems


def _among(column: str, values: Sequence[Any]) -> sa.ColumnElement[bool]:
    # An empty column of another program may have any type, which texts would not fit.
    texts = any(isinstance(value, str) for value in values)
    return (sa.cast(sa.column(column), sa.String) if texts else sa.column(column)).in_(values)


def _raw(connection: sa.Connection, query: str, fields: list[str]) -> Iterator[pl.DataFrame]:
    """The rows as the database's driver gives them, in pieces."""
    driver: Any = connection.connection.driver_connection
    match connection.dialect.name:
        case "postgresql":
            text = io.BytesIO()
            driver.cursor().copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", text)
            text.seek(0)
            if text.getbuffer().nbytes:
                yield pl.read_csv(text, has_header=False, new_columns=fields, infer_schema=False)
        case "duckdb":
            yield pl.DataFrame(driver.sql(query).to_arrow_table())
        case _:
            cursor = driver.execute(query)
            while rows := cursor.fetchmany(FETCHED_ROWS):
                yield pl.DataFrame(rows, schema=fields, orient="row", infer_schema_length=None, strict=False)


def _typed(values: pl.Series, field: Field) -> pl.Series:
    if values.dtype == field.dtype:
        return values
    if values.dtype == pl.String and field.dtype == pl.Date:
        return values.str.slice(0, len("2000-01-01")).str.to_date("%Y-%m-%d", strict=False)
    if values.dtype == pl.String and field.dtype == pl.Datetime("us"):
        return (
            values.str.slice(0, 19)
            .str.replace("T", " ")
            .str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        )
    if field.dtype.is_temporal() and values.dtype.is_numeric():
        return pl.Series(values.name, [None] * values.len(), dtype=field.dtype)
    return values.cast(field.dtype, strict=False)
