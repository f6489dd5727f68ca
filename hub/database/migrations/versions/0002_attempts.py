"""attempts

Revision 0002, after 0001. Attempts are short-lived: the old ones are not taken over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.drop_table("sign_in_attempts")
    _attempts("attempts")
    op.create_index("ix_attempts_at", "attempts", ["at"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("attempts")
    _attempts("sign_in_attempts")


def _attempts(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_key", name, ["key"], unique=False)
