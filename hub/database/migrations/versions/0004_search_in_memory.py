"""search in memory

Revision 0004, after 0003: an index tells at once whether something was published.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_index("ix_datasets_shown", "datasets", ["status", "published_at", "version"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_datasets_shown", "datasets")
