"""Incidents and the 72-hour clock.

Belongs here: reporting, notifying, closing. Does not belong here: finding incidents.

References
----------
Regulation (EU) 2016/679, Article 33(1) (72 hours after having become aware; reasons for a delay), 33(3) (contents), 33(5)
(documentation), 34 (high risk: communication to the people); Regulation (EEC, Euratom) No 1182/71, Article 3 (hours).
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from hub.audit.log import record
from hub.caller import Caller
from hub.duties.tables import Incident
from hub.errors import NotFoundError, StateError
from hub.people.roles import Role
from records.errors import ParameterError

NOTIFY = timedelta(hours=72)
RISKS = {
    "unlikely": "A risk to people is unlikely: no notification is needed, the incident is documented",
    "risk": "A risk to people: the supervisory authority is notified within 72 hours",
    "high": "A high risk: the people concerned are told, too (Article 34)",
}


def report(
    caller: Caller, *, aware_at: datetime, nature: str, persons: int | None, consequences: str, measures: str, risk: str
) -> Incident:  # fmt: skip
    """Write down an incident; the clock runs from when the body became aware.

    Raises
    ------
    ParameterError
        The time lies ahead, the risk is unknown, or the contents of Article 33(3) are missing.
    """
    person = caller.must_have(Role.DPO, Role.OPERATOR)
    if aware_at > caller.now:
        raise ParameterError("the time of becoming aware must not lie ahead, got a later one; mend it")
    if risk not in RISKS or not all(text.strip() for text in (nature, consequences, measures)):
        raise ParameterError("an incident must say its nature, consequences, measures and risk, got less; write them")
    made = Incident(
        reported_by=person.id, aware_at=aware_at, notify_by=aware_at + NOTIFY, nature=nature.strip(), persons=persons,
        consequences=consequences.strip(), measures=measures.strip(), risk=risk, created_at=caller.now,
    )  # fmt: skip
    caller.session.add(made)
    caller.session.flush()
    record(caller.session, now=caller.now, actor=person.id, action="incident.reported", subject=f"incident:{made.id}",
           risk=risk)  # fmt: skip
    return made


def notify(caller: Caller, incident_id: str, *, delay_reason: str = "") -> Incident:
    """Note that the supervisory authority was notified; after 72 hours with the reasons for the delay."""
    person = caller.must_have(Role.DPO, Role.OPERATOR)
    incident = _open(caller, incident_id)
    if incident.notified_at is not None:
        raise StateError("an incident must be notified once, got a second time; nothing was changed")
    if caller.now > incident.notify_by and not delay_reason.strip():
        raise ParameterError("a notification after 72 hours must have reasons for the delay, got nothing; write them")
    incident.notified_at, incident.delay_reason = caller.now, delay_reason.strip() or None
    record(caller.session, now=caller.now, actor=person.id, action="incident.notified",
           subject=f"incident:{incident.id}", late=caller.now > incident.notify_by)  # fmt: skip
    return incident


def close(caller: Caller, incident_id: str) -> Incident:
    """Close it; one with a risk only once the authority was notified."""
    person = caller.must_have(Role.DPO)
    incident = _open(caller, incident_id)
    if incident.risk != "unlikely" and incident.notified_at is None:
        raise StateError("an incident with a risk must be notified before it is closed, got none; notify first")
    incident.closed_at = caller.now
    record(caller.session, now=caller.now, actor=person.id, action="incident.closed", subject=f"incident:{incident.id}")
    return incident


def all_of_them(caller: Caller) -> list[Incident]:
    """All incidents, the most urgent first."""
    caller.must_have(Role.DPO, Role.OPERATOR, Role.HEAD)
    order = (Incident.closed_at.is_not(None), Incident.notified_at.is_not(None), Incident.notify_by)
    return list(caller.session.scalars(sa.select(Incident).order_by(*order)))


def _open(caller: Caller, incident_id: str) -> Incident:
    found = caller.session.get(Incident, incident_id, with_for_update=True)
    if found is None:
        raise NotFoundError("the incident must exist, got an unknown one; look at the list")
    if found.closed_at is not None:
        raise StateError("an incident must be open, got one that is closed; report a new one")
    return found
