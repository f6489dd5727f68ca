"""Exclusion for non-compliance: found, heard, imposed, lifted; it binds in the transaction that imposes it.

Belongs here: the exclusion and its check, which every door of the hub asks. Does not belong here: fines and penalty payments,
which are set by the body under national law; revoking a permit (``hub.access.permits``).

References
----------
Regulation (EU) 2025/327, Article 63(2) (findings notified at once; views within at most four weeks), 63(3) and (4) (exclusion for
up to five years of users; of holders from applying), 63(5) (reasons are told), 64 (general conditions).
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.periods import add_months, end_of
from hub.audit.log import record
from hub.caller import Caller
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.market.sent import words_sent
from hub.market.tables import Sanction
from hub.people.roles import Role
from hub.people.tables import Person
from records.errors import ParameterError

VIEWS, MOST_MONTHS = timedelta(weeks=4), 60
ARTICLES = {"63(3)": "Health data user", "63(4)": "Health data holder"}


def must_be_free(session: Session, person_id: str, now: datetime) -> None:
    """Refuse somebody who is excluded now.

    Raises
    ------
    ForbiddenError
        The person is excluded.
    """
    if (found := _in_force(session, person_id, now)) is not None and found.until is not None:
        raise ForbiddenError(
            f"this step must not be taken by somebody who is excluded (Article {found.article}), got an exclusion until "
            f"{found.until.date()}; ask the access body"
        )


def notify(caller: Caller, email: str, *, article: str, finding: str) -> Sanction:
    """Tell a user or holder of a finding of non-compliance, and ask for their views."""
    head = caller.must_have(Role.HEAD)
    person = caller.session.scalar(sa.select(Person).where(Person.email == email.strip().lower()))
    if person is None or person.id == head.id:
        raise ParameterError("a sanction must concern another person with an account, got none; write the e-mail again")
    if article not in ARTICLES:
        raise ParameterError("a sanction must rest on Article 63(3) or 63(4), got another; choose one")
    made = Sanction(person_id=person.id, article=article, finding=words_sent(finding), views_until=caller.now + VIEWS,
                    state="notified", by_id=head.id, notified_at=caller.now)  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    return _told(caller, made, "notified", article=article)


def state_views(caller: Caller, sanction_id: str, words: str) -> Sanction:
    """The person concerned answers, once."""
    found = caller.session.get(Sanction, sanction_id)
    if found is None or found.person_id != caller.somebody.id:
        raise NotFoundError("the finding must concern you, got another; look at your account")
    if found.state != "notified" or found.views or caller.now > found.views_until:
        raise StateError("views must be stated once and in time, got another; nothing was changed")
    found.views = words_sent(words)
    return _told(caller, found, "answered")


def impose(caller: Caller, sanction_id: str, *, months: int, reasons: str) -> Sanction:
    """Exclude the person, after their views or four weeks; what they sell, negotiate and wait for ends at once.

    Raises
    ------
    StateError, ParameterError
        The person may still state views; or it would last more than five years.
    """
    found = _open(caller, sanction_id)
    if not found.views and caller.now <= found.views_until:
        raise StateError("an exclusion must wait for views, for four weeks at most, got none yet; wait for them")
    if not 1 <= months <= MOST_MONTHS:
        raise ParameterError(f"an exclusion must last 1 to {MOST_MONTHS} months, got another; choose fewer")
    found.state, found.imposed_at, found.reasons = "imposed", caller.now, words_sent(reasons)
    found.until = until = end_of(add_months(caller.now.date(), months))
    caller.session.flush()
    _end_all(caller, found.person_id)
    return _told(caller, found, "imposed", until=until.isoformat())


def drop(caller: Caller, sanction_id: str, reasons: str) -> Sanction:
    """The finding was not confirmed."""
    found = _open(caller, sanction_id)
    found.state, found.reasons = "dropped", words_sent(reasons)
    return _told(caller, found, "dropped")


def lift(caller: Caller, sanction_id: str, reasons: str) -> Sanction:
    """End an exclusion before its time."""
    caller.must_have(Role.HEAD)
    found = caller.session.get(Sanction, sanction_id, with_for_update=True)
    if found is None or found.state != "imposed":
        raise StateError("an exclusion must be in force to be lifted, got another; reload the page")
    found.state, found.lifted_at, found.reasons = "lifted", caller.now, f"{found.reasons}\n{words_sent(reasons)}"
    return _told(caller, found, "lifted")


def listed(caller: Caller) -> list[Sanction]:
    """All findings for the body and auditors; one's own for everybody else. Newest first."""
    query = sa.select(Sanction).order_by(Sanction.notified_at.desc())
    if not caller.has(Role.HEAD, Role.OFFICER, Role.AUDITOR):
        query = query.where(Sanction.person_id == caller.somebody.id)
    return list(caller.session.scalars(query))


def _in_force(session: Session, person_id: str, now: datetime) -> Sanction | None:
    excluded = (Sanction.person_id == person_id) & (Sanction.state == "imposed") & (Sanction.until > now)
    return session.scalar(sa.select(Sanction).where(excluded).order_by(Sanction.until.desc()).limit(1))


def _open(caller: Caller, sanction_id: str) -> Sanction:
    caller.must_have(Role.HEAD)
    found = caller.session.get(Sanction, sanction_id, with_for_update=True)
    if found is None:
        raise NotFoundError("the finding must exist, got an unknown one; look at the list")
    if found.state != "notified":
        raise StateError("a finding must be open to be decided, got another; reload the page")
    return found


def _end_all(caller: Caller, person_id: str) -> None:
    from hub.market.agreements import end_all

    end_all(caller, person_id, "a party was excluded by the access body")


def _told(caller: Caller, sanction: Sanction, verb: str, **detail: str) -> Sanction:
    record(caller.session, now=caller.now, actor=caller.somebody.id, action=f"sanction.{verb}",
           subject=f"sanction:{sanction.id}", person=sanction.person_id, **detail)  # fmt: skip
    return sanction
