"""The life of permits: issue, check at each use, extend, amend, revoke, expire.

Belongs here: what is stored of a permit and its check. Does not belong here: who may decide (``assessment``), ODRL itself.

A permit is believed if its agreement carries a valid signature *and* is the very one the audit log says was issued last:
whoever can write to this table, but cannot rewrite the chained log, cannot put another agreement in its place.

References
----------
Regulation (EU) 2025/327, Articles 68(10), (12), (13), 63(3) (revocation).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from hub.access import odrl
from hub.access.form import Kind
from hub.access.law import EXTENSIONS, PERMIT_MONTHS
from hub.access.periods import add_months, end_of
from hub.access.states import PERMITTED
from hub.access.tables import Permit, Request
from hub.audit.log import record
from hub.audit.tables import Entry
from hub.caller import Caller
from hub.database.base import new_id
from hub.errors import ForbiddenError, GoneError, NotFoundError, StateError
from hub.people.roles import Role

ISSUED = ("permit.issued", "permit.extended", "permit.amended")


def issue(caller: Caller, request: Request, *, months: int) -> Permit:
    """Sign and store the permit that a granted request brings about."""
    until = end_of(add_months(caller.now.date(), min(months, PERMIT_MONTHS)))
    permit = Permit(
        id=new_id(), request_id=request.id, person_id=request.person_id, dataset_ids=list(request.dataset_ids),
        kind=request.kind, valid_from=caller.now, valid_until=until, odrl={},
    )  # fmt: skip
    permit.odrl = _signed(caller, permit, request.form)
    caller.session.add(permit)
    request.permit_id = permit.id
    _audit(caller, permit, "issued")
    return permit


def check(
    session: Session, permit_id: str, *, person_id: str, action: str, dataset_id: str, purpose: str, now: datetime,
    key: Ed25519PublicKey | None = None, columns: Collection[str] = (), epsilon: float = 0.0,
) -> Permit:  # fmt: skip
    """The permit, if it allows this use now; ``action`` is one of ``odrl.ACTIONS``, ``purpose`` a letter of Article 53(1).

    ``columns`` and ``epsilon`` are what a computation takes (``odrl.Use``).

    Raises
    ------
    NotFoundError, ForbiddenError, GoneError
        There is no such permit or it is another person's; it does not allow the use; it was revoked or has expired.
    """
    permit = held_by(session, permit_id, person_id)
    if permit.revoked_at is not None:
        raise GoneError("the permit must be in force, got one that was revoked; you may appeal")
    if now > permit.valid_until:
        raise GoneError("the permit must be in force, got one that has expired; apply again")
    if not isinstance(permit.odrl, dict) or permit.odrl.get("uid") != f"urn:uuid:{permit.id}":
        raise ForbiddenError("a permit must hold its own agreement, got another; ask the access body")
    odrl.verify(permit.odrl, key)
    _as_issued(session, permit)
    use = odrl.Use(person_id, action, dataset_id, purpose, now, columns=frozenset(columns), epsilon=epsilon)
    odrl.evaluate(permit.odrl, use)
    return permit


def held_by(session: Session, permit_id: str, person_id: str) -> Permit:
    """A person's permit, as the store has it now, in force or not.

    Raises
    ------
    NotFoundError
        There is none, or it is another person's.
    """
    permit = session.get(Permit, permit_id, populate_existing=True)
    if permit is None or permit.person_id != person_id:
        raise NotFoundError("the permit must be one of yours, got another; look at your requests")
    return permit


def mine(caller: Caller, permit_id: str) -> Permit:
    """One's own permit; the body sees all.

    Raises
    ------
    NotFoundError
        There is none, or it is another person's.
    """
    permit = caller.session.get(Permit, permit_id)
    if permit is None or not (permit.person_id == caller.somebody.id or caller.has(Role.OFFICER, Role.HEAD)):
        raise NotFoundError("the permit must be one of yours, got another; look at your requests")
    return permit


def extend(caller: Caller, permit: Permit, form: dict[str, Any], *, months: int) -> None:
    """Prolong a permit, once.

    Raises
    ------
    StateError
        It was extended before.
    """
    if permit.extensions >= EXTENSIONS:
        raise StateError("a permit must be extended once at most, got a second time; apply anew")
    permit.valid_until = end_of(add_months(permit.valid_until.date(), min(months, PERMIT_MONTHS)))
    permit.extensions += 1
    _replace(caller, permit, form, "extended")


def amend(caller: Caller, permit: Permit, form: dict[str, Any], dataset_ids: Sequence[str]) -> None:
    """Put the amended form into a new agreement; the former one is kept."""
    permit.dataset_ids = list(dataset_ids)
    _replace(caller, permit, form, "amended")


def revoke(caller: Caller, permit: Permit, reason: str) -> None:
    """End a permit at once: its runs stop and its artefacts are destroyed in the same transaction."""
    from hub.delivery.orders import revoke_permit
    from hub.statistics.questions import end_for

    if permit.revoked_at is not None:
        raise StateError("a permit must be in force to be revoked, got one that was revoked; nothing was changed")
    permit.revoked_at, permit.revoked_reason = caller.now, reason
    caller.session.flush()
    revoke_permit(caller.session, permit.id, caller.now)
    end_for(caller, permit.id, "the permit was revoked")
    _audit(caller, permit, "revoked")


def ended(now: datetime) -> sa.Select[Request]:
    """Requests whose permit has expired but which are still shown as held."""
    held = sa.select(Request).join(Permit, Permit.id == Request.permit_id)
    return held.where(Permit.valid_until < now, Permit.revoked_at.is_(None), Request.state.in_(sorted(PERMITTED)))


def facts(permit: Permit) -> dict[str, Any]:
    """A permit as plain values."""
    revoked = permit.revoked_at
    return {
        "id": permit.id, "request_id": permit.request_id, "kind": permit.kind, "dataset_ids": permit.dataset_ids,
        "valid_from": permit.valid_from.isoformat(), "valid_until": permit.valid_until.isoformat(),
        "revoked_at": revoked.isoformat() if revoked else None, "revoked_reason": permit.revoked_reason,
        "odrl": permit.odrl,
    }  # fmt: skip


def _replace(caller: Caller, permit: Permit, form: dict[str, Any], verb: str) -> None:
    permit.history = [*permit.history, permit.odrl]
    permit.odrl = _signed(caller, permit, form)
    _audit(caller, permit, verb)


def _signed(caller: Caller, permit: Permit, form: dict[str, Any]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    if permit.kind == Kind.MPC:  # without an epsilon no answer may carry noise that is paid for
        limits = {"columns": form.get("columns"), "epsilon": form.get("epsilon") or 0.0}
    plain = odrl.agreement(
        uid=permit.id, assigner=caller.hub.settings.body, person_id=permit.person_id, kind=Kind(permit.kind),
        dataset_ids=permit.dataset_ids, purposes=form["purposes"], valid_from=permit.valid_from,
        valid_until=permit.valid_until, persons=form.get("persons", []), **limits,
    )  # fmt: skip
    return odrl.sign(plain, caller.hub.keys.signing, caller.now)


def _as_issued(session: Session, permit: Permit) -> None:
    issued = sa.select(Entry.detail).where(Entry.subject == f"permit:{permit.id}", Entry.action.in_(ISSUED))
    last = session.scalar(issued.order_by(Entry.number.desc()).limit(1))
    if last is None or last.get("sha256") != odrl.digest(permit.odrl):
        raise ForbiddenError("a permit must be the one the audit log tells of, got another; ask the access body")


def _audit(caller: Caller, permit: Permit, verb: str) -> None:
    actor = caller.person.id if caller.person else "system"
    record(
        caller.session, now=caller.now, actor=actor, action=f"permit.{verb}", subject=f"permit:{permit.id}",
        request=permit.request_id, sha256=odrl.digest(permit.odrl),
    )  # fmt: skip
