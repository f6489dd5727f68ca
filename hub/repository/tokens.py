"""Tokens for one download each.

Belongs here: issuing and redeeming. Does not belong here: the bytes (``vault``).
"""

import secrets
from datetime import timedelta

import sqlalchemy as sa

from hub.access.form import Kind
from hub.access.odrl import ACTIONS
from hub.access.permits import held_by
from hub.access.uses import must_allow
from hub.audit.log import record
from hub.caller import Caller
from hub.errors import ForbiddenError, GoneError, HubError, NotFoundError
from hub.market import agreements, sanctions
from hub.people.sessions import digest_of
from hub.repository.ends import end_of
from hub.repository.tables import Artefact, DownloadToken

VALID = timedelta(minutes=10)
DELIVERED = {kind.value: ACTIONS[kind] for kind in (Kind.SYNTHETIC, Kind.MPC)}
"""Kinds of permits under which the hub delivers, and the action that a download is."""


def mine(caller: Caller, artefact_id: str) -> Artefact:
    """One's own artefact, destroyed or not.

    Raises
    ------
    NotFoundError
        There is none, or it is another person's.
    """
    artefact = caller.session.get(Artefact, artefact_id)
    if artefact is None or artefact.person_id != caller.somebody.id:
        raise NotFoundError("the data must be yours, got other data; look at your data's page")
    return artefact


def issue(caller: Caller, artefact_id: str) -> str:
    """A token for one download of one's own artefact.

    Raises
    ------
    ForbiddenError, GoneError
        It or its permit has ended, it was destroyed, or all its downloads are used; its permit does not allow it.
    """
    artefact = mine(caller, artefact_id)
    _must_be_alive(caller, artefact)
    secret = secrets.token_urlsafe(32)
    caller.session.add(
        DownloadToken(
            digest=digest_of(secret),
            artefact_id=artefact.id,
            person_id=artefact.person_id,
            expires_at=caller.now + VALID,
        )
    )
    return secret


def redeem(caller: Caller, artefact_id: str, secret: str) -> Artefact:
    """Use a token up and count the download; of two that try at once, one wins.

    Raises
    ------
    ForbiddenError
        The token is unknown, used, too old, or another person's or artefact's; the permit does not allow it.
    GoneError
        The artefact is gone, its permit has ended, or its last download was just taken.
    """
    artefact = mine(caller, artefact_id)
    _must_be_alive(caller, artefact)
    fits = (
        (DownloadToken.digest == digest_of(secret)) & (DownloadToken.artefact_id == artefact.id)
        & (DownloadToken.person_id == caller.somebody.id) & (DownloadToken.expires_at > caller.now)
        & DownloadToken.used_at.is_(None)
    )  # fmt: skip
    if caller.session.execute(sa.update(DownloadToken).where(fits).values(used_at=caller.now)).rowcount != 1:  # type: ignore[attr-defined]
        raise ForbiddenError(
            "a download must have a fresh token of its own, got a used or foreign one; ask for another"
        )
    left = (Artefact.id == artefact.id) & (Artefact.downloads_left > 0) & Artefact.destroyed_at.is_(None)
    taken = sa.update(Artefact).where(left).values(downloads_left=Artefact.downloads_left - 1)
    if caller.session.execute(taken).rowcount != 1:  # type: ignore[attr-defined]
        raise GoneError("a download must be left, got none; order the data again")
    record(caller.session, now=caller.now, actor=caller.somebody.id, action="artefact.downloaded",
           subject=f"artefact:{artefact.id}")  # fmt: skip
    return artefact


def refused(caller: Caller, artefact_id: str, error: HubError) -> None:
    """Log that a download of an artefact that exists was refused; what does not exist leaves no trace."""
    if caller.session.get(Artefact, artefact_id) is not None:
        record(caller.session, now=caller.now, actor=caller.somebody.id, action="artefact.refused",
               subject=f"artefact:{artefact_id}", status=error.status)  # fmt: skip


def must_be_kept(caller: Caller, artefact: Artefact) -> None:
    """Refuse what was destroyed or has ended.

    Raises
    ------
    GoneError
        It is gone, with the day and the reason.
    """
    end = end_of(caller.session, artefact)
    if artefact.destroyed_at is not None or end.at <= caller.now:
        day, reason = (artefact.destroyed_at or end.at).date(), artefact.destroyed_reason or end.reason
        raise GoneError(f"the data must still be kept, got data that ended on {day}: {reason}; order them again")


def _must_be_alive(caller: Caller, artefact: Artefact) -> None:
    must_be_kept(caller, artefact)
    sanctions.must_be_free(caller.session, artefact.person_id, caller.now)
    if artefact.downloads_left < 1:
        raise GoneError("a download must be left, got none; order the data again")
    if artefact.agreement_id is not None:
        agreements.must_allow(caller, artefact.agreement_id, artefact.person_id)
        return
    kind = held_by(caller.session, artefact.permit_id, artefact.person_id).kind
    if kind not in DELIVERED:
        raise ForbiddenError("a permit must allow what is downloaded, got another; ask the access body")
    must_allow(
        caller, artefact.permit_id, person_id=artefact.person_id, action=DELIVERED[kind],
        dataset_ids=[artefact.dataset_id],
    )  # fmt: skip
