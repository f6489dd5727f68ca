"""Deposit, reading and destruction of artefacts.

Belongs here: bytes and keys. Does not belong here: tokens, pages.

Destroying an artefact deletes its key, which makes every copy of the file worthless, backups of the file store included;
the store overwrites deleted rows (``secure_delete``). A backup of the database that holds the key must be destroyed apart.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.deployment import Deployment
from hub.errors import GoneError
from hub.repository import cipher
from hub.repository.ends import over, with_ends
from hub.repository.tables import Artefact, ArtefactKey, DownloadToken
from records.errors import StorageError

if TYPE_CHECKING:
    from hub.delivery.tables import Order

DOWNLOADS, ORPHAN_AGE = 20, timedelta(hours=1)
CHECK_EVERY = 16  # frames between two looks at whether the artefact still may be read: a MiB


@dataclass(frozen=True)
class Consignment:
    """For whom a package is that no order was placed for."""

    id: str
    person_id: str
    permit_id: str
    dataset_id: str
    formats: list[str]


def deposit(
    session: Session, hub: Deployment, *, package: Path, order: "Order | Consignment", title: str,
    facts: dict[str, Any], expires_at: datetime, now: datetime, agreement_id: str | None = None,
) -> Artefact:  # fmt: skip
    """Encrypt a package and store it; ``facts`` are aggregates for its page, ``report`` among them the HTML report."""
    shown = {name: value for name, value in facts.items() if name != "report"}
    artefact = Artefact(
        order_id=order.id, person_id=order.person_id, permit_id=order.permit_id,
        agreement_id=agreement_id, dataset_id=order.dataset_id, title=title,
        formats=order.formats, facts=shown, report=facts.get("report"), size=package.stat().st_size,
        sha256=digest_of(package), downloads_left=DOWNLOADS, created_at=now, expires_at=expires_at,
    )  # fmt: skip
    session.add(artefact)
    session.flush()
    key = cipher.new_key()
    session.add(ArtefactKey(artefact_id=artefact.id, wrapped=cipher.wrap(hub.keys.master, key)))
    store(package, place(hub, artefact.id), key, artefact.id)
    record(session, now=now, actor="system", action="artefact.deposited", subject=f"artefact:{artefact.id}",
           order=order.id, sha256=artefact.sha256, expires=expires_at.isoformat())  # fmt: skip
    return artefact


def read(hub: Deployment, artefact_id: str) -> Iterator[bytes]:
    """The package's bytes, in constant memory and outside any transaction.

    Raises
    ------
    GoneError
        It was destroyed, or has ended by itself or with its permit, before or while it is read.
    """
    with hub.database.read() as session:
        row = session.get(ArtefactKey, artefact_id)
        key = cipher.unwrap(hub.keys.master, row.wrapped) if row is not None else None
    path = place(hub, artefact_id)
    if key is None or not path.exists() or not _alive(hub, artefact_id):
        raise GoneError("the package must still be stored, got one that was destroyed; order it again")
    return _frames(hub, artefact_id, path, key)


def destroy(session: Session, artefact: Artefact, *, reason: str, now: datetime, actor: str) -> None:
    """Destroy an artefact's key; the worthless file is swept away later. Destroying twice changes nothing."""
    if artefact.destroyed_at is not None:
        return
    session.execute(sa.delete(ArtefactKey).where(ArtefactKey.artefact_id == artefact.id))
    session.execute(sa.delete(DownloadToken).where(DownloadToken.artefact_id == artefact.id))
    artefact.destroyed_at, artefact.destroyed_reason, artefact.report = now, reason, None
    record(session, now=now, actor=actor, action="artefact.destroyed", subject=f"artefact:{artefact.id}", reason=reason)


def expire(session: Session, hub: Deployment, now: datetime) -> int:
    """Destroy what has ended by itself or with its permit, and sweep files without a key; returns how many ended."""
    expired = with_ends(session, over(now), Artefact.destroyed_at.is_(None))
    for artefact, end in expired:
        destroy(session, artefact, reason=end.reason, now=now, actor="system")
    session.execute(sa.delete(DownloadToken).where(DownloadToken.expires_at <= now))
    for path in folder(hub).glob("*"):
        # Another sweep, or a deposit that renames its file, may be quicker.
        with suppress(FileNotFoundError):
            if _worthless(session, path, now):
                path.unlink()
    return len(expired)


def folder(hub: Deployment) -> Path:
    """Where the encrypted files lie."""
    return hub.settings.home / "repository"


def place(hub: Deployment, artefact_id: str) -> Path:
    """An artefact's encrypted file."""
    return folder(hub) / f"{artefact_id}.aes"


def _worthless(session: Session, path: Path, now: datetime) -> bool:
    """Whether nobody can ever read this file: its artefact was destroyed, or its deposit died before it was known."""
    if (known := session.get(Artefact, path.stem)) is not None:
        return known.destroyed_at is not None
    # A deposit under way is not visible to this transaction yet; it is young.
    return now.timestamp() - path.stat().st_mtime > ORPHAN_AGE.total_seconds()


def store(package: Path, target: Path, key: bytes, artefact_id: str) -> None:
    """Encrypt a file to ``target``, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with package.open("rb") as source, tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as sink:
            cipher.encrypt(source, sink, key, artefact_id.encode())
            sink.flush()
            os.fsync(sink.fileno())
        Path(sink.name).replace(target)
    except OSError as error:
        raise StorageError(f"a package must be stored whole, got {error.strerror or error}; free disk space") from error


def _frames(hub: Deployment, artefact_id: str, path: Path, key: bytes) -> Iterator[bytes]:
    with path.open("rb") as source:
        for number, frame in enumerate(cipher.decrypt(source, key, artefact_id.encode())):
            if number % CHECK_EVERY == 0 and not _alive(hub, artefact_id):
                raise GoneError("the package has ended while it was read; nothing more is sent")
            yield frame


def _alive(hub: Deployment, artefact_id: str) -> bool:
    keyed = sa.exists().where(ArtefactKey.artefact_id == Artefact.id)
    with hub.database.read() as session:
        found = with_ends(session, Artefact.id == artefact_id, keyed)
    return bool(found) and found[0][1].at > hub.clock()


def digest_of(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
