"""What all tables of the hub share.

Belongs here: the declarative base and its column types. Does not belong here: any one table.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase


class Moment(sa.TypeDecorator[datetime]):
    """An aware UTC time; stored as text of fixed width, so that it sorts and compares alike in SQLite and Postgres."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        """To text; a time without a zone is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time must have a time zone, got none; use the application's clock")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


class Base(DeclarativeBase):
    """Base of every table; ``datetime`` is stored as ``Moment``, ``dict`` and ``list`` as JSON."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s", "pk": "pk_%(table_name)s",
        }
    )  # fmt: skip
    type_annotation_map = {datetime: Moment, dict[str, Any]: sa.JSON, list[str]: sa.JSON, list[Any]: sa.JSON}  # noqa: RUF012


def new_id() -> str:
    """A random identifier that cannot be guessed (122 bits)."""
    return str(uuid4())
