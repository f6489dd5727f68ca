"""Tables of people, their sessions and their access tokens.

Belongs here: what is stored of a person. Does not belong here: rules. Passwords, session identifiers and tokens are
stored as hashes only.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.database.base import Base, new_id
from hub.people.roles import Role


class Person(Base):
    """An account. ``public_body`` people may ask for the purposes of Article 53(1)(a) to (c)."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organisation: Mapped[str] = mapped_column(default="")
    roles: Mapped[list[str]]
    public_body: Mapped[bool] = mapped_column(default=False)
    password: Mapped[str | None]
    totp_secret: Mapped[str | None]
    totp_last: Mapped[int | None]
    subject: Mapped[str | None] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    def has(self, *roles: Role) -> bool:
        """Whether the person has one of ``roles``."""
        return bool(set(self.roles) & set(roles))


class WebSession(Base):
    """A browser that is signed in."""

    __tablename__ = "web_sessions"

    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class AccessToken(Base):
    """A token for the REST API and the Python client."""

    __tablename__ = "access_tokens"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    digest: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("people.id"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Attempt(Base):
    """An attempt that a limit counts, by the hash of an e-mail, an address or a person."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
