"""computations

Revision 0005, after 0004: orders have a kind; those of computations hold their question, the parties' job and their progress.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
NEW = ("question", "question_sha256", "job_sha256", "parties")


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("kind", sa.String(), server_default="synthetic", nullable=False))
        for name in NEW:
            kind = sa.String() if name.endswith("sha256") else sa.JSON(none_as_null=True)
            orders.add_column(sa.Column(name, kind, nullable=True))
        orders.create_index("ix_orders_question_sha256", ["question_sha256"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("orders") as orders:
        orders.drop_index("ix_orders_question_sha256")
        for name in (*NEW, "kind"):
            orders.drop_column(name)
