"""Which concepts a column may stand for, with score and reasons.

Belongs here: scores by name, unit and values, and their sum. Does not belong here: what becomes of a proposal (``draft``).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from harmonisation.assistant.candidates import Candidate
from harmonisation.assistant.names import likeness
from harmonisation.assistant.profile import Profile, profile
from records.schema import Kind

NAME, UNIT, VALUES = 0.6, 0.15, 0.25
LEAST, LIKELY_NAME = 0.35, 0.7
UNKNOWN = 0.5


@dataclass(frozen=True)
class Proposal:
    """A concept that a column may stand for; ``score`` and ``name``, the likeness of names, are from 0 to 1 and no probability."""

    concept: str
    label: str
    unit: str | None
    score: float
    reasons: tuple[str, ...]
    origin: str
    name: float

    @property
    def likely(self) -> bool:
        """Whether the names are alike; values alone fit many concepts."""
        return self.name >= LIKELY_NAME


def propose(
    name: str, values: pl.Series, known: Iterable[Candidate], *, unit: str | None = None, most: int = 3
) -> list[Proposal]:
    """The likeliest concepts of a column, best first.

    Parameters
    ----------
    name : str
        Column name as it stands in the table.
    values : polars.Series
        Only aggregates of it are looked at, and none is in the result.
    known : iterable of Candidate
    unit : str or None
        UCUM unit, if somebody knows it.
    most : int
        Proposals at most; fewer where nothing is alike.
    """
    seen = profile(values)
    best: dict[str, Proposal] = {}
    for candidate in known:
        found = _compared(name, seen, unit, candidate)
        if found.score > best.get(found.concept, found).score or found.concept not in best:
            best[found.concept] = found
    ranked = sorted(best.values(), key=lambda one: (-one.score, one.concept))
    return [one for one in ranked[:most] if one.score >= LEAST]


def _compared(name: str, seen: Profile, unit: str | None, candidate: Candidate) -> Proposal:
    by_name = likeness(name, candidate.names)
    by_unit = UNKNOWN if unit is None or candidate.unit is None else float(unit == candidate.unit)
    by_values = _values(seen, candidate)
    score = NAME * by_name + UNIT * by_unit + VALUES * by_values
    reasons = (
        f"name {by_name:.2f}",
        "unit not known" if by_unit == UNKNOWN else f"unit {'agrees' if by_unit else 'differs'}",
        f"values {by_values:.2f}",
    )
    return Proposal(
        candidate.concept, candidate.label, candidate.unit, round(score, 3), reasons, candidate.origin, by_name
    )


def _values(seen: Profile, candidate: Candidate) -> float:
    if not seen.known:
        return UNKNOWN
    numeric = candidate.kind in (Kind.INTEGER, Kind.NUMBER)
    if seen.kind is Kind.CATEGORY:
        return UNKNOWN / 2 if numeric else _overlap(seen.levels, candidate.levels)
    if seen.kind is not Kind.NUMBER or not numeric:
        return 0.0
    if seen.quantiles is None or candidate.low is None or candidate.high is None:
        return UNKNOWN
    return _fit(seen.quantiles, candidate.low, candidate.high)


def _fit(quantiles: tuple[float, float, float], low: float, high: float) -> float:
    """How well the middle nine tenths lie in the usual range, and how much of the range they fill."""
    first, middle, last = quantiles
    inside = (
        max(0.0, min(last, high) - max(first, low)) / (last - first) if last > first else float(low <= first <= high)
    )
    filled = min(1.0, 2 * (last - first) / (high - low))
    return inside * (0.5 + 0.5 * filled) if low <= middle <= high else 0.25 * inside


def _overlap(seen: frozenset[str], known: frozenset[str]) -> float:
    if not seen or not known:
        return UNKNOWN
    return len(seen & known) / len(seen)
