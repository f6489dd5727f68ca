"""Which attribute of an event may depend on which, and how finely: public facts of the schema only.

Belongs here: the order in which a patient's history is drawn, and the parents of every attribute. Does not belong here:
how strongly they depend (``additive_logit``).
"""

from dataclasses import dataclass
from enum import StrEnum

from models.event_tokens import BAND, NEXT, NUMBER, PHASE, TAIL, WAIT, event_levels, later
from models.pair_effects import Axis, Grain
from records.longitudinal import LongitudinalSchema

Parents = dict[str, Grain]


class Rows(StrEnum):
    """Visits at which a link applies."""

    FIRST = "first visits"
    ALL = "all visits"
    ON = "visits that another follows"
    LAST = "last visits"


@dataclass(frozen=True)
class Link:
    """``child`` is drawn given ``parents``, at ``rows``."""

    child: str
    parents: Parents
    rows: Rows


def axes(schema: LongitudinalSchema) -> dict[str, Axis]:
    """Levels of every attribute, and whether the last stands for missing."""
    missing = {c.name for c in (*schema.baseline, *schema.measurements) if c.missing}
    missing |= {later(name) for name in missing}
    return {name: Axis(count, name in missing) for name, count in event_levels(schema).items()}


def full_structure(schema: LongitudinalSchema) -> list[Link]:
    """Everything may depend on all that was drawn before it; for learning from the rows themselves.

    The order is baseline, first visit, what comes next, when, and the measurements of the next visit.
    """
    base, state = _names(schema)
    first = [Link(name, _cells([*base, *state][:i]), Rows.FIRST) for i, name in enumerate([*base, *state])]
    seen = _cells([NUMBER, BAND, *base, *state])
    events = [Link(NEXT, seen, Rows.ALL), Link(WAIT, seen, Rows.ON), Link(TAIL, {NEXT: Grain.CELLS} | seen, Rows.LAST)]
    following = [
        Link(later(name), _cells([*map(later, state[:i]), *state, WAIT, BAND, *base]) | {name: Grain.SELF}, Rows.ON)
        for i, name in enumerate(state)
    ]
    return [*first, *events, *following]


def lean_structure(schema: LongitudinalSchema) -> list[Link]:
    """What matters most, because every pair has to be paid for.

    Measurements of one visit follow the leading one, in the same way at all visits; the next value of each moves from
    its own. The end of follow-up depends on baseline, the leading measurements and the visit's number.
    """
    base, state = _names(schema)
    lead, *others = state
    first = [Link(name, {}, Rows.FIRST) for name in base]
    first += [Link(lead, dict.fromkeys(base, Grain.THIRDS), Rows.FIRST)]
    first += [Link(name, {lead: Grain.THIRDS}, Rows.FIRST) for name in others]
    ends = dict.fromkeys([*base, *schema.leading], Grain.THIRDS)
    events = [
        Link(NEXT, {NUMBER: Grain.CELLS} | ends, Rows.ALL),
        Link(WAIT, {PHASE: Grain.CELLS}, Rows.ON),
        Link(TAIL, {NEXT: Grain.CELLS, NUMBER: Grain.THIRDS}, Rows.LAST),
    ]
    following = [Link(later(lead), {lead: Grain.MOVES, schema.treatment: Grain.CELLS}, Rows.ON)]
    following += [Link(later(name), {name: Grain.MOVES, later(lead): Grain.THIRDS}, Rows.ON) for name in others]
    return [*first, *events, *following]


def _names(schema: LongitudinalSchema) -> tuple[list[str], list[str]]:
    return [c.name for c in schema.baseline], [c.name for c in schema.measurements]


def _cells(names: list[str]) -> Parents:
    return dict.fromkeys(names, Grain.CELLS)
