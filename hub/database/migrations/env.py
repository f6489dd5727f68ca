"""Alembic's entry: runs migrations on the connection that the hub hands over.

Belongs here: wiring. Does not belong here: changes of tables (``versions``).
"""

from alembic import context

from hub.database.base import Base
from hub.database.tables import ALL

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot change a column in place.
    render_as_batch=True,
    include_name=lambda name, kind, _: kind != "table" or name in ALL,
)
with context.begin_transaction():
    context.run_migrations()
