"""What the store refuses by triggers: changed rows, and transactions that are not balanced or not complete.

Belongs here: triggers of SQLite and Postgres. Does not belong here: what finds a change made in spite of them (``check``).
"""

import sqlalchemy as sa

from hub.audit.append_only import protect_rows

# Every key by which INSERT OR REPLACE could put a row in the place of another.
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "money_accounts": (("id",),),
    "money_entries": (("number", "line"),),
    "money_transactions": (("number",), ("key",), ("reverses",)),
    "money_heads": (("size",),),
    "money_invoices": (("id",), ("issuer", "year", "sequence"), ("reference",)),
    "money_payouts": (("id",),),
}
CLOSED = "a closed transaction takes no entries"
UNBALANCED = "a transaction must be complete and balanced"
WRONG = (
    "NEW.lines < 2 OR NEW.lines <> (SELECT COUNT(*) FROM money_entries WHERE number = NEW.number) "
    "OR EXISTS (SELECT 1 FROM money_entries WHERE number = NEW.number GROUP BY currency HAVING SUM(cents) <> 0)"
)
TAKEN = "EXISTS (SELECT 1 FROM money_transactions WHERE number = NEW.number)"
BALANCE = {"money_entries": (TAKEN, CLOSED), "money_transactions": (WRONG, UNBALANCED)}
SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS {table}_balance BEFORE INSERT ON {table} WHEN {wrong} "
    "BEGIN SELECT RAISE(ABORT, '{words}'); END"
)
POSTGRES = (
    "CREATE OR REPLACE FUNCTION {table}_balance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {wrong} THEN "
    "RAISE EXCEPTION USING MESSAGE = '{words}', ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$",
    "CREATE OR REPLACE TRIGGER {table}_balance BEFORE INSERT ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION {table}_balance()",
)


def guard(connection: sa.Connection, *tables: str) -> None:
    """Set the triggers of ``tables`` (by default all); calling it twice changes nothing."""
    for table in tables or KEYS:
        protect_rows(connection, table, *KEYS[table])
        if table in BALANCE:
            wrong, words = BALANCE[table]
            for statement in POSTGRES if connection.dialect.name == "postgresql" else (SQLITE,):
                connection.exec_driver_sql(statement.format(table=table, wrong=wrong, words=words))
