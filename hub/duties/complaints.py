"""Complaints: lodging, following up, deciding.

Belongs here: the steps of a complaint. Does not belong here: supervision of data protection, to which a complaint on
opting out is passed on.

References
----------
Regulation (EU) 2025/327, Article 81: (2) the complainant is told of progress and decision; (4) complaints on Article 71 go
to the supervisory authority under Regulation (EU) 2016/679.
"""

import hashlib
import hmac
import secrets
from typing import Any

import sqlalchemy as sa

from hub.audit.log import record
from hub.caller import Caller
from hub.duties.tables import Complaint
from hub.errors import NotFoundError, StateError, ThrottledError
from hub.people.roles import Role
from records.errors import ParameterError

ABOUT = {
    "request": "A request or a decision", "data": "Use of data about me", "opt-out": "The right to opt out",
    "hub": "This service", "other": "Something else",
}  # fmt: skip
STATES = {
    "received": "received", "in progress": "being looked into", "transmitted": "passed to the supervisory authority",
    "decided": "decided",
}  # fmt: skip
LONGEST, MOST_A_DAY = 5000, 500
# The same words in SQLite and Postgres; complaints from before the row was made are counted once.
NEXT_NUMBER = sa.text(
    "INSERT INTO complaint_numbers (year, last) "
    "VALUES (:year, 1 + (SELECT count(*) FROM complaints WHERE number LIKE :numbers)) "
    "ON CONFLICT (year) DO UPDATE SET last = complaint_numbers.last + 1 RETURNING last"
)


def lodge(caller: Caller, *, about: str, words: str, contact: str) -> tuple[Complaint, str]:
    """Lodge a complaint, signed in or not; the second value is the follow-up code, shown once.

    Raises
    ------
    ParameterError, ThrottledError
        Something is missing; too many complaints today.
    """
    if about not in ABOUT or not words.strip():
        raise ParameterError("a complaint must say what it is about and what happened, got less; write it")
    _throttle(caller)
    code = secrets.token_urlsafe(12)
    transmitted = about == "opt-out"
    complaint = Complaint(
        number=_number(caller), secret=_digest(code), about=about, words=words.strip()[:LONGEST],
        contact=contact.strip()[:254], state="transmitted" if transmitted else "received", lodged_at=caller.now, steps=[],
    )  # fmt: skip
    if transmitted:
        complaint.steps = [_step(caller, "transmitted", "Article 81(4)")]
    caller.session.add(complaint)
    caller.session.flush()
    actor = caller.person.id if caller.person else "visitor"
    record(caller.session, now=caller.now, actor=actor, action="complaint.lodged", subject=f"complaint:{complaint.id}",
           about=about)  # fmt: skip
    return complaint, code


def follow(caller: Caller, number: str, code: str) -> Complaint:
    """One's complaint by its number and code."""
    found = caller.session.scalar(sa.select(Complaint).where(Complaint.number == number.strip()))
    stored = found.secret if found else "0" * 64
    if not hmac.compare_digest(stored, _digest(code.strip())) or found is None:
        raise NotFoundError("number and code must be those of the receipt, got others; look at it again")
    return found


def advance(caller: Caller, complaint_id: str, *, state: str, words: str) -> Complaint:
    """Tell of progress or of the decision; the complainant reads the words."""
    person = caller.must_have(Role.DPO, Role.HEAD)
    complaint = caller.session.get(Complaint, complaint_id, with_for_update=True)
    if complaint is None:
        raise NotFoundError("the complaint must exist, got an unknown one; look at the list")
    if complaint.state == "decided":
        raise StateError("a complaint must be open, got one that is decided; a new one may be lodged")
    if state not in STATES or state == "received" or not words.strip():
        raise ParameterError("a step must have a state and words for the complainant, got less; write them")
    complaint.state, complaint.steps = state, [*complaint.steps, _step(caller, state, words.strip()[:LONGEST])]
    complaint.closed_at = caller.now if state == "decided" else None
    record(caller.session, now=caller.now, actor=person.id, action="complaint.advanced",
           subject=f"complaint:{complaint.id}", state=state)  # fmt: skip
    return complaint


def all_of_them(caller: Caller) -> list[Complaint]:
    """All complaints, open ones first."""
    caller.must_have(Role.DPO, Role.HEAD, Role.OPERATOR)
    order = (Complaint.closed_at.is_not(None), Complaint.lodged_at)
    return list(caller.session.scalars(sa.select(Complaint).order_by(*order)))


def _throttle(caller: Caller) -> None:
    today = sa.select(sa.func.count()).select_from(Complaint).where(Complaint.lodged_at >= _midnight(caller))
    if (caller.session.scalar(today) or 0) >= MOST_A_DAY:
        raise ThrottledError(f"complaints must be at most {MOST_A_DAY} a day; write to the access body instead")


def _number(caller: Caller) -> str:
    """The year's next number; of two complaints at once, the second waits for the row and counts on from the first."""
    year = caller.now.year
    last = caller.session.scalar(NEXT_NUMBER, {"year": year, "numbers": f"C-{year}-%"})
    return f"C-{year}-{last:05d}"


def _midnight(caller: Caller) -> Any:
    return caller.now.replace(hour=0, minute=0, second=0, microsecond=0)


def _step(caller: Caller, state: str, words: str) -> dict[str, str]:
    return {"at": caller.now.isoformat(), "state": state, "words": words}


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
