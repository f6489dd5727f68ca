"""Tables of the catalogue.

Belongs here: what is stored of a data set. Does not belong here: its data.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base


class Dataset(Base):
    """A data set as everybody may see it; ``draft`` is a change of what is published that nobody else sees yet.

    ``words`` is all its text, folded, for the search; ``turtle`` and ``json_ld`` are what was checked at publication.
    ``theme`` and ``category`` hold all values, with spaces between.

    ``modality`` is that of images (CT, MR, DX), empty for tables.

    ``use_case`` and ``cohort`` name the pipeline that can make synthetic data of it, if there is one.
    """

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True)
    holder_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    title: Mapped[str]
    description: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)
    version: Mapped[int]
    record: Mapped[dict[str, Any]] = mapped_column(sa.JSON, deferred=True)
    draft: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True), deferred=True)
    turtle: Mapped[str | None] = mapped_column(sa.Text, deferred=True)
    json_ld: Mapped[str | None] = mapped_column(sa.Text, deferred=True)
    words: Mapped[str] = mapped_column(sa.Text, deferred=True)
    access_rights: Mapped[str] = mapped_column(index=True)
    theme: Mapped[str] = mapped_column(index=True, default="")
    category: Mapped[str] = mapped_column(index=True, default="")
    publisher: Mapped[str] = mapped_column(index=True, default="")
    synthetic: Mapped[bool] = mapped_column(index=True, default=False)
    modality: Mapped[str] = mapped_column(index=True, default="", server_default="")
    use_case: Mapped[str | None]
    cohort: Mapped[str | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    # The search asks at each step whether something was published.
    __table_args__ = (sa.Index("ix_datasets_shown", "status", "published_at", "version"),)


class DatasetVersion(Base):
    """A former description, as it was published."""

    __tablename__ = "dataset_versions"

    dataset_id: Mapped[str] = mapped_column(sa.ForeignKey("datasets.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    record: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
