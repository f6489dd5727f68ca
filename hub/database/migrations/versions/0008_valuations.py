"""valuations

Revision 0008, after 0007: sealed valuations that splits refer to.
"""

import sqlalchemy as sa
from alembic import op

from hub.audit.append_only import protect_rows

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "market_valuations",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("accounts", sa.JSON(), nullable=False),
        sa.Column("deposited_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_market_valuations"),
    )
    with op.batch_alter_table("market_valuations", schema=None) as batch_op:
        batch_op.create_index("ix_market_valuations_dataset_id", ["dataset_id"], unique=False)

    protect_rows(op.get_bind(), "market_valuations", ("sha256",))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("market_valuations", schema=None) as batch_op:
        batch_op.drop_index("ix_market_valuations_dataset_id")

    op.drop_table("market_valuations")
