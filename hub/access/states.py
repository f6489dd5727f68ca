"""The life of a request as data: states, who acts next, and every step with its roles and clock.

Belongs here: the table of transitions. Does not belong here: carrying them out (``service``, ``assessment``).

References
----------
Regulation (EU) 2025/327, Articles 67 to 69, 72; 68(13) (amendment), 68(12) (extension), 63 (revocation).
"""

from dataclasses import dataclass
from enum import StrEnum

from hub.access import law
from hub.access.law import Clock
from hub.people.roles import BODY, Role


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    IN_ASSESSMENT = "in_assessment"
    WITH_HOLDER = "with_holder"
    RECOMMENDED = "recommended"
    STATISTICS_OFFERED = "statistics_offered"
    GRANTED = "granted"
    RECEIVED = "received"
    DELIVERED = "delivered"
    CHANGE_ASKED = "change_asked"
    CHANGE_RECOMMENDED = "change_recommended"
    REFUSED = "refused"
    APPEALED = "appealed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Actor(StrEnum):
    """Who takes a step: the applicant, the body, the holder of the data, or a rule without a person."""

    APPLICANT = "applicant"
    OFFICER = "officer"
    HEAD = "head"
    HOLDER = "holder"
    RULE = "rule"


ROLES: dict[Actor, frozenset[Role]] = {
    Actor.APPLICANT: frozenset({Role.DEVELOPER}), Actor.OFFICER: BODY, Actor.HEAD: frozenset({Role.HEAD}),
    Actor.HOLDER: frozenset({Role.HOLDER}), Actor.RULE: frozenset(),
}  # fmt: skip

NEXT: dict[State, Actor | None] = {
    State.DRAFT: Actor.APPLICANT, State.SUBMITTED: Actor.OFFICER, State.INCOMPLETE: Actor.APPLICANT,
    State.COMPLETE: Actor.OFFICER, State.IN_ASSESSMENT: Actor.OFFICER, State.WITH_HOLDER: Actor.HOLDER,
    State.RECOMMENDED: Actor.HEAD, State.STATISTICS_OFFERED: Actor.APPLICANT, State.GRANTED: Actor.HOLDER,
    State.RECEIVED: Actor.OFFICER, State.DELIVERED: Actor.APPLICANT, State.CHANGE_ASKED: Actor.OFFICER,
    State.CHANGE_RECOMMENDED: Actor.HEAD, State.APPEALED: Actor.HEAD, State.REFUSED: None, State.WITHDRAWN: None,
    State.LAPSED: None, State.REVOKED: None, State.EXPIRED: None,
}  # fmt: skip

UNDECIDED = frozenset(
    {
        State.DRAFT, State.SUBMITTED, State.INCOMPLETE, State.COMPLETE, State.IN_ASSESSMENT, State.WITH_HOLDER,
        State.RECOMMENDED, State.STATISTICS_OFFERED, State.APPEALED,
    }
)  # fmt: skip
PERMITTED = frozenset(
    {State.GRANTED, State.RECEIVED, State.DELIVERED, State.CHANGE_ASKED, State.CHANGE_RECOMMENDED}
)  # fmt: skip
AWAITING_BODY = frozenset(
    {state for state, actor in NEXT.items() if actor in (Actor.OFFICER, Actor.HEAD)} | {State.WITH_HOLDER, State.GRANTED}
)  # fmt: skip


@dataclass(frozen=True)
class Transition:
    """A step: from which states, to which (``None``: back to the former one), by whom, and which clock it starts.

    ``keeps_clock`` leaves the running clock as it is; otherwise the former clock stops.
    """

    come_from: frozenset[State]
    to: State | None
    by: Actor
    clock: Clock | None = None
    keeps_clock: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        """Roles that may take the step."""
        return ROLES[self.by]


def _step(
    *come_from: State, to: State | None, by: Actor, clock: Clock | None = None, keeps: bool = False
) -> Transition:
    return Transition(frozenset(come_from), to, by, clock, keeps)


_ASSESSED = (State.COMPLETE, State.IN_ASSESSMENT)
_HELD = (State.GRANTED, State.RECEIVED, State.DELIVERED)

TRANSITIONS: dict[str, Transition] = {
    "submit": _step(State.DRAFT, State.INCOMPLETE, to=State.SUBMITTED, by=Actor.APPLICANT),
    "grant_by_offer": _step(State.SUBMITTED, to=State.GRANTED, by=Actor.RULE),
    "ask_for_more": _step(State.SUBMITTED, to=State.INCOMPLETE, by=Actor.OFFICER, clock=law.COMPLETION),
    "lapse": _step(State.INCOMPLETE, to=State.LAPSED, by=Actor.RULE),
    "accept": _step(State.SUBMITTED, to=State.COMPLETE, by=Actor.OFFICER, clock=law.DECISION),
    "assess": _step(State.COMPLETE, to=State.IN_ASSESSMENT, by=Actor.OFFICER, keeps=True),
    "forward": _step(*_ASSESSED, to=State.WITH_HOLDER, by=Actor.OFFICER, clock=law.TRUSTED_ASSESSMENT),
    "propose": _step(State.WITH_HOLDER, to=State.RECOMMENDED, by=Actor.HOLDER, clock=law.TRUSTED_DECISION),
    "recommend": _step(State.IN_ASSESSMENT, to=State.RECOMMENDED, by=Actor.OFFICER, keeps=True),
    "return": _step(State.RECOMMENDED, to=State.IN_ASSESSMENT, by=Actor.HEAD, keeps=True),
    "grant": _step(State.RECOMMENDED, to=State.GRANTED, by=Actor.HEAD, clock=law.HOLDER_DELIVERY),
    "refuse": _step(State.RECOMMENDED, to=State.REFUSED, by=Actor.HEAD),
    "offer_statistics": _step(State.RECOMMENDED, to=State.STATISTICS_OFFERED, by=Actor.HEAD, keeps=True),
    "accept_statistics": _step(
        State.STATISTICS_OFFERED, to=State.GRANTED, by=Actor.APPLICANT, clock=law.STATISTICS_RESPONSE
    ),
    "decline_statistics": _step(State.STATISTICS_OFFERED, to=State.REFUSED, by=Actor.APPLICANT),
    "hand_over": _step(State.GRANTED, to=State.RECEIVED, by=Actor.HOLDER, clock=law.BODY_DELIVERY),
    "deliver": _step(State.GRANTED, State.RECEIVED, to=State.DELIVERED, by=Actor.OFFICER, clock=law.RESULTS),
    "deliver_by_offer": _step(State.GRANTED, to=State.DELIVERED, by=Actor.RULE, clock=law.RESULTS),
    "deliver_by_run": _step(State.GRANTED, State.RECEIVED, to=State.DELIVERED, by=Actor.RULE, clock=law.RESULTS),
    "ask_extension": _step(*_HELD, to=State.CHANGE_ASKED, by=Actor.APPLICANT, keeps=True),
    "ask_amendment": _step(*_HELD, to=State.CHANGE_ASKED, by=Actor.APPLICANT, keeps=True),
    "recommend_change": _step(State.CHANGE_ASKED, to=State.CHANGE_RECOMMENDED, by=Actor.OFFICER, keeps=True),
    "grant_change": _step(State.CHANGE_RECOMMENDED, to=None, by=Actor.HEAD, keeps=True),
    "refuse_change": _step(State.CHANGE_RECOMMENDED, to=None, by=Actor.HEAD, keeps=True),
    "withdraw": _step(*sorted(UNDECIDED), to=State.WITHDRAWN, by=Actor.APPLICANT),
    "appeal": _step(State.REFUSED, State.REVOKED, State.LAPSED, to=State.APPEALED, by=Actor.APPLICANT),
    "uphold": _step(State.APPEALED, to=None, by=Actor.HEAD),
    "reopen": _step(State.APPEALED, to=State.IN_ASSESSMENT, by=Actor.HEAD, clock=law.DECISION),
    "revoke": _step(*sorted(PERMITTED), to=State.REVOKED, by=Actor.HEAD),
    "expire": _step(*sorted(PERMITTED), to=State.EXPIRED, by=Actor.RULE, clock=law.DELETION),
}  # fmt: skip


def allowed_from(state: State) -> list[str]:
    """Names of the steps that may follow ``state``."""
    return [name for name, step in TRANSITIONS.items() if state in step.come_from]
