"""cohort budgets

Revision 0010, after 0009: what the data side tells of the privacy budget of each cohort.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "market_cohort_budgets",
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("total_rho", sa.Double(), nullable=False),
        sa.Column("spent_rho", sa.Double(), nullable=False),
        sa.Column("delta", sa.Double(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name="pk_market_cohort_budgets"),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("market_cohort_budgets")
