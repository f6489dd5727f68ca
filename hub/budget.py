"""The privacy budget ledger: every debit of every cohort, in one transactional store.

Belongs here: adding up zCDP rho and refusing what exceeds the budget. Does not belong here: computing it (``models``).
A debit is never given back: there is no way to delete one.
"""

import math
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from records.errors import BudgetError

FIRST_USE = 7_204_117  # any number that no other program locks

metadata = sa.MetaData()
debits = sa.Table(
    "debits",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("cohort", sa.String, nullable=False, index=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("rho", sa.Float, nullable=False),
    sa.Column("epsilon", sa.Float, nullable=False),
    sa.Column("delta", sa.Float, nullable=False),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)


class BudgetLedger:
    """Ledger at a SQLAlchemy URL: SQLite, or Postgres as ``postgresql+psycopg2://user@host/database``.

    Releases draw on the account ``release``, which ends at the cohort's total. Research that is never released is
    written to the account ``internal``, without a limit, so that nothing touches the data unseen.
    """

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, connect_args={"timeout": 30} if url.startswith("sqlite") else {})
        if self.engine.dialect.name == "sqlite":
            # One writer from the first statement on: two releases cannot both read the same last budget.
            event.listen(self.engine, "connect", lambda c, _: setattr(c, "isolation_level", None))
            event.listen(self.engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                # Two first users would both create the table; the lock ends with the transaction.
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({FIRST_USE})")
            metadata.create_all(connection)

    def debit(
        self, cohort: str, *, rho: float, total_rho: float, epsilon: float, delta: float, question: str,
        account: str = "release", run_id: str = "",
    ) -> None:  # fmt: skip
        """Take ``rho`` from the cohort's budget, or refuse.

        Raises
        ------
        BudgetError
            ``rho`` is not positive, or more than what is left of ``total_rho``.
        """
        if not (math.isfinite(rho) and rho > 0):
            raise BudgetError(f"rho must be positive and finite, got {rho}; choose epsilon > 0")
        entry = {"cohort": cohort, "account": account, "question": question, "rho": rho, "epsilon": epsilon}
        entry |= {"delta": delta, "run_id": run_id, "created_at": datetime.now(UTC).isoformat()}
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE debits IN EXCLUSIVE MODE")
            left = total_rho - _spent(connection, cohort)
            if account == "release" and rho > left + 1e-12:
                raise BudgetError(
                    f"the debit of {cohort} must fit what is left of its budget, rho {left:.4f} of {total_rho:g}, "
                    f"got rho {rho:.4f}; ask for a smaller epsilon or repeat a question that was answered"
                )
            connection.execute(debits.insert().values(**entry))

    def spent(self, cohort: str) -> float:
        """Rho that releases of the cohort have cost."""
        with self.engine.begin() as connection:
            return _spent(connection, cohort)

    def entries(self, cohort: str) -> list[dict[str, Any]]:
        """All debits of the cohort, oldest first."""
        with self.engine.begin() as connection:
            query = sa.select(debits).where(debits.c.cohort == cohort).order_by(debits.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]


def _spent(connection: sa.Connection, cohort: str) -> float:
    mine = (debits.c.cohort == cohort) & (debits.c.account == "release")
    return float(
        connection.execute(sa.select(sa.func.coalesce(sa.func.sum(debits.c.rho), 0.0)).where(mine)).scalar_one()
    )
