"""Alembic's entry: runs migrations on the connection that the hub hands over.

Belongs here: wiring. Does not belong here: changes of tables (``versions``).
"""

from typing import Any, Literal

from alembic import context

from hub.database.base import Base, Moment
from hub.database.tables import ALL


def plain_type(kind: str, found: Any, _: Any) -> str | Literal[False]:
    """Migrations name the stored type, so that they do not depend on later code."""
    return "sa.String(27)" if kind == "type" and isinstance(found, Moment) else False


context.configure(
    render_item=plain_type,
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot change a column in place.
    render_as_batch=True,
    include_name=lambda name, kind, _: kind != "table" or name in ALL,
)
with context.begin_transaction():
    context.run_migrations()
