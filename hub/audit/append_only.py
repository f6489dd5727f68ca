"""Tables that the store lets nobody change, by triggers.

Belongs here: the triggers. Does not belong here: what finds a change that was made in spite of them (``verify``).
"""

import sqlalchemy as sa

SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
    # INSERT OR REPLACE deletes without a delete trigger, so the insert itself is watched.
    "CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} "
    "WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
)
POSTGRES = (
    "CREATE OR REPLACE FUNCTION phaseiv_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'check_violation'; END $$",
    "CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION phaseiv_append_only()",
    "CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION phaseiv_append_only()",
)
KEYS = {"audit_entries": "number", "audit_heads": "size"}


def protect(connection: sa.Connection, *tables: str) -> None:
    """Refuse UPDATE, DELETE, replacement and TRUNCATE of the log's ``tables`` (by default all); twice changes nothing."""
    for table in tables or KEYS:
        protect_rows(connection, table, (KEYS[table],))


def protect_rows(connection: sa.Connection, table: str, *keys: tuple[str, ...]) -> None:
    """The same for any table; ``keys`` are all its unique keys, each as its columns."""
    same = " OR ".join("(" + " AND ".join(f"{name} = NEW.{name}" for name in key) + ")" for key in keys)
    for statement in POSTGRES if connection.dialect.name == "postgresql" else SQLITE:
        connection.exec_driver_sql(statement.format(table=table, same=same))
