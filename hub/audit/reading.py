"""Reading the stored log: by filter, whole for verification, as an export.

Belongs here: queries. Does not belong here: the check itself (``verify``).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.chain import stamp
from hub.audit.head import Head
from hub.audit.heads import public_key
from hub.audit.merkle import consistency_proof, inclusion_proof
from hub.audit.offline import FORMAT
from hub.audit.tables import Entry, SignedHead
from hub.audit.verify import Fields, Verdict, verify
from hub.errors import NotFoundError
from hub.keys import Keys

PAGE, BATCH = 50, 2000
# As text: a value that was tampered with may be no time and no JSON, and must still be shown and found.
AT, DETAIL = sa.type_coerce(Entry.at, sa.String), sa.type_coerce(Entry.detail, sa.String)
COLUMNS = (
    Entry.number, AT.label("at"), Entry.actor, Entry.action, Entry.subject, DETAIL.label("detail"), Entry.former,
    Entry.digest,
)  # fmt: skip
MOMENT_LENGTH = 27


@dataclass(frozen=True)
class Filter:
    """What to look for; texts match from their beginning, days are whole days in UTC."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As conditions of a query."""
        texts = ((Entry.actor, self.actor), (Entry.action, self.action), (Entry.subject, self.subject))
        made = [column.startswith(text, autoescape=True) for column, text in texts if text]
        if self.since is not None:
            made.append(Entry.at >= _midnight(self.since))
        if self.until is not None and self.until < date.max:
            made.append(Entry.at < _midnight(self.until + timedelta(days=1)))
        return made


@dataclass(frozen=True)
class Found:
    """One page of entries, newest first; ``before`` continues it."""

    entries: list[Fields]
    total: int
    before: int | None


def search(session: Session, wanted: Filter, before: int | None = None) -> Found:
    """Entries that fit, from number ``before`` downwards."""
    total = session.scalar(sa.select(sa.func.count()).select_from(Entry).where(*wanted.conditions)) or 0
    query = sa.select(*COLUMNS).where(*wanted.conditions).order_by(Entry.number.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Entry.number < before)
    rows = [_read(row) for row in session.execute(query).mappings()]
    return Found(rows[:PAGE], total, rows[PAGE - 1]["number"] if len(rows) > PAGE else None)


def verified(session: Session, keys: Keys, kept: Sequence[Head] = ()) -> Verdict:
    """Verify the stored log against its heads, and against heads that somebody kept."""
    heads = [Head.model_validate(head) for head in session.scalars(sa.select(SignedHead).order_by(SignedHead.size))]
    return verify(entries(session), [*heads, *kept], keys.signing.public_key())


def entries(session: Session, until: int | None = None) -> Iterator[Fields]:
    """All entries in order, in constant memory."""
    query = sa.select(*COLUMNS).order_by(Entry.number)
    if until is not None:
        query = query.where(Entry.number <= until)
    yield from map(_read, session.execute(query.execution_options(yield_per=BATCH)).mappings())


def plain(entry: Fields) -> dict[str, Any]:
    """An entry as JSON values."""
    return {**entry, "at": stamp(entry["at"]) if isinstance(entry["at"], datetime) else entry["at"]}


def export(session: Session, keys: Keys, now: datetime) -> Iterator[str]:
    """The whole log as one JSON document, piece by piece."""
    heads = [Head.model_validate(head).plain() for head in session.scalars(sa.select(SignedHead))]
    opening = {"format": FORMAT, "public_key": public_key(keys), "exported_at": stamp(now), "heads": heads}
    yield json.dumps(opening)[:-1] + ', "entries": [\n'
    for number, entry in enumerate(entries(session)):
        yield (",\n" if number else "") + json.dumps(plain(entry), default=str)
    yield "\n]}\n"


def proof_of(session: Session, number: int, size: int) -> list[str]:
    """The path from entry ``number`` to the head of the first ``size`` entries.

    Raises
    ------
    NotFoundError
        There is no such entry or head.
    """
    leaves = _leaves(session, size)
    if not 1 <= number <= len(leaves):
        raise NotFoundError(f"an entry must be one of 1 to {len(leaves)}, got {number}; choose another")
    return [step.hex() for step in inclusion_proof(leaves, number - 1)]


def consistency_of(session: Session, former: int, size: int) -> list[str]:
    """The proof that the head at ``size`` continues the one at ``former``."""
    leaves = _leaves(session, size)
    if not 1 <= former <= len(leaves):
        raise NotFoundError(f"a former size must be one of 1 to {len(leaves)}, got {former}; choose another")
    return [step.hex() for step in consistency_proof(leaves, former)]


def _leaves(session: Session, size: int) -> list[bytes]:
    digests = session.scalars(sa.select(Entry.digest).where(Entry.number <= size).order_by(Entry.number)).all()
    if len(digests) != size:
        raise NotFoundError(f"a head must cover entries that exist, got {size} of {len(digests)}; choose a signed head")
    return [bytes.fromhex(digest) for digest in digests]


def _read(row: sa.RowMapping) -> Fields:
    """A stored entry with its values; what cannot be read stays text, and its digest will not fit."""
    entry: dict[str, Any] = {str(name): value for name, value in row.items()}
    with suppress(ValueError, TypeError):
        if len(entry["at"]) == MOMENT_LENGTH:
            entry["at"] = datetime.fromisoformat(entry["at"])
    with suppress(ValueError, TypeError):
        entry["detail"] = json.loads(entry["detail"])
    return entry


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
