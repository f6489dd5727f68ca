"""Tables of the repository.

Belongs here: what is stored of an artefact. Does not belong here: its bytes, which lie encrypted in files.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id


class Artefact(Base):
    """One package for one person, under a permit or, from the market, an agreement. ``size`` and ``sha256`` are of the package as it is downloaded."""

    __tablename__ = "artefacts"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    permit_id: Mapped[str] = mapped_column(index=True)
    agreement_id: Mapped[str | None] = mapped_column(index=True)
    dataset_id: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    formats: Mapped[list[str]]
    facts: Mapped[dict[str, Any]]
    report: Mapped[str | None] = mapped_column(sa.Text)
    size: Mapped[int]
    sha256: Mapped[str]
    downloads_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    destroyed_at: Mapped[datetime | None]
    destroyed_reason: Mapped[str | None]


class ArtefactKey(Base):
    """The wrapped key of an artefact; without this row its bytes are noise for everybody."""

    __tablename__ = "artefact_keys"

    artefact_id: Mapped[str] = mapped_column(sa.ForeignKey("artefacts.id"), primary_key=True)
    wrapped: Mapped[bytes]


class DownloadToken(Base):
    """A token for one download; only its hash is stored."""

    __tablename__ = "download_tokens"

    digest: Mapped[str] = mapped_column(primary_key=True)
    artefact_id: Mapped[str] = mapped_column(sa.ForeignKey("artefacts.id"), index=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
