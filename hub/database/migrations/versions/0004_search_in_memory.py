"""search in memory

Revision 0004, after 0003: the store's full-text index goes; an index tells at once whether something was published.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX dataset_words")
    else:
        for change in ("added", "changed", "removed"):
            op.execute(f"DROP TRIGGER dataset_words_{change}")
        op.execute("DROP TABLE dataset_words")
    op.create_index("ix_datasets_shown", "datasets", ["status", "published_at", "version"], unique=False)


def downgrade() -> None:
    """Back, without a full-text index: the search does not need it."""
    op.drop_index("ix_datasets_shown", "datasets")
