"""image data sets

Revision 0009, after 0008: data sets of images say their modality, by which they are found.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("datasets") as datasets:
        datasets.add_column(sa.Column("modality", sa.String(), server_default="", nullable=False))
        datasets.create_index("ix_datasets_modality", ["modality"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("datasets") as datasets:
        datasets.drop_index("ix_datasets_modality")
        datasets.drop_column("modality")
