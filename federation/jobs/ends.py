"""How a job ends: one named state, the same at every party and at the researcher.

Belongs here: the states, and which error leads to which. Does not belong here: who decides (``party.researcher``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from federation.errors import FederationError, GarbledError, MismatchError, PartyLostError, PeerError, StalledError
from records.errors import BudgetError, PhaseIVError

DONE, REFUSED, MISMATCH, EXPIRED, CANCELLED, BUDGET = "done", "refused", "mismatch", "expired", "cancelled", "budget"
LOST, STALLED, GARBLED = "lost", "stalled", "garbled"
RESEARCHER = "researcher"
BLAMING: dict[type[PeerError], str] = {PartyLostError: LOST, StalledError: STALLED, GarbledError: GARBLED}


@dataclass(frozen=True)
class End:
    """``state`` is one of the plain names, or ``lost:``, ``stalled:`` or ``garbled:`` with a party's name."""

    state: str
    reason: str = ""

    @property
    def kind(self) -> str:
        """The state without the party."""
        return self.state.partition(":")[0]

    @property
    def party(self) -> str | None:
        """Whom the state names."""
        return self.state.partition(":")[2] or None

    @classmethod
    def by(cls, kind: str, party: str, reason: str = "") -> "End":
        """An end that a party caused."""
        words = {
            LOST: "its connection broke",
            STALLED: "it did not answer in time",
            GARBLED: "it sent what cannot be read",
        }
        return cls(f"{kind}:{party}", reason or f"{party}: {words[kind]}; ask again without it or when it is back")


class JobEndedError(FederationError):
    """A job did not come to a result; ``end`` says how it ended."""

    def __init__(self, end: End) -> None:
        self.end = end
        super().__init__(
            f"the job must end as done, got {end.state}; {end.reason or 'see the journals of the parties'}"
        )


def end_of(error: Exception, participants: Sequence[str]) -> End:
    """The end to which an error inside a program leads, as this party saw it."""
    if isinstance(error, JobEndedError):
        return error.end
    if isinstance(error, PeerError):
        return End.by(BLAMING[type(error)], participants[error.peer])
    if isinstance(error, MismatchError):
        return End(MISMATCH, _named(str(error), participants))
    if isinstance(error, BudgetError):
        return End(BUDGET, str(error))
    if isinstance(error, PhaseIVError):
        return End(REFUSED, str(error))
    # What else goes wrong may quote data: its words stay in the party's own log.
    return End(REFUSED, f"the program broke with {type(error).__name__}; the party's own log says more")


def _named(words: str, participants: Sequence[str]) -> str:
    """The engine counts parties; people know their names."""
    return re.sub(r"\bparty (\d+(?:, \d+)*)", lambda found: ", ".join(_names(found[1], participants)), words)


def _names(numbers: str, participants: Sequence[str]) -> list[str]:
    return [participants[int(number)] for number in numbers.split(", ")]


def verdict(reports: Mapping[str, End | None], closed: Sequence[str]) -> End:
    """The end of a failed job, from what each party reports (``None``: it is silent) and whose connection broke.

    A party that says why it ends comes first, then a broken connection, then silence, then whom most blame.
    """
    told = {name: end for name, end in reports.items() if end is not None}
    for kind in (MISMATCH, GARBLED, BUDGET, EXPIRED, REFUSED):
        if ends := {name: end for name, end in told.items() if end.kind == kind}:
            if kind in (MISMATCH, GARBLED):
                return _most_common(list(ends.values()))
            return End(kind, _reasons(ends))
    if closed:
        return End.by(LOST, closed[0])
    if silent := [name for name, end in reports.items() if end is None]:
        return End.by(STALLED, silent[0])
    blamed = [end for end in told.values() if end.party]
    return _most_common(blamed) if blamed else next(iter(told.values()), End(CANCELLED))


def _reasons(ends: Mapping[str, End]) -> str:
    """Each reason once, after the names of those that give it."""
    said: dict[str, list[str]] = {}
    for name, end in ends.items():
        said.setdefault(end.reason, []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in said.items())


def _most_common(ends: Sequence[End]) -> End:
    return max(ends, key=ends.count)
