"""What each holder contributed: the whole rule, from records to the numbers that are paid by.

Belongs here: terms of a valuation, and its steps in order: copies, values, free riders, floor and quality. Does not belong here: cents
(``hub.market.splits``), words (``explanation``), the document (``sealed``).

Steps: (1) equal and nearly equal rows become one record, credited to its first holder or shared; (2) exact nearest-neighbour Shapley
value of each record, summed by credit; (3) a holder whose rows overlap an earlier one's beyond chance is held until a person has
looked (rule ``first``); (4) a holder whose labels are not better than in random order, or whose sum is negative, gets 0;
(5) quality factor and floor by size (``hub.market.splits.shares``).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hub.market.splits import Floor, shares
from hub.valuation.copies import Overlap, Rule, credit, groups, overlaps
from hub.valuation.fingerprints import BANDS, Fingerprints, joined
from hub.valuation.knn_shapley import accuracy, balanced, knn_shapley
from hub.valuation.label_test import label_p_values
from hub.valuation.nearest import Labelled, together
from records.errors import ParameterError

SCORINGS = {"knn-balanced": balanced, "knn-accuracy": accuracy}
DIGITS = 12
State = Literal["paid", "copy", "held", "harmful", "chance"]


class Terms(BaseModel):
    """The rule that holders agree on beforehand; its digest stands in the agreement.

    Parameters
    ----------
    utility : str
        Of a record (``utility.UTILITIES``); values of records need a nearest-neighbour one.
    neighbours : int
        Few make the worth of a hospital a matter of luck where outcomes are hard to foretell; many let chance earn a little.
    level : float
        Chance to pay a name whose labels are random.
    copies : str
        Whose a copied record is: its ``first`` holder's, or ``shared``.
    alike : int
        Equal bands of fingerprints that make a copy (``copies.likeness``). Agreed before, so that who takes part does not change
        what a copy is.
    floor : Decimal
        Part of the revenue that is divided by different records among those who contributed.
    permutations : int
        Random orders of each holder's labels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    utility: Literal["knn-balanced", "knn-accuracy"] = "knn-balanced"
    neighbours: Annotated[int, Field(ge=1, le=100)] = 30
    level: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    copies: Rule = "first"
    alike: Annotated[int, Field(ge=1, le=BANDS)] = 12
    floor: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)
    permutations: Annotated[int, Field(ge=19, le=100_000)] = 999

    @property
    def sha256(self) -> str:
        """What an agreement refers to."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class Holding:
    """One holder's records, their fingerprints, and when they were registered (any unit that has an order)."""

    records: Labelled
    prints: Fingerprints
    registered: float = 0.0


@dataclass(frozen=True)
class Contribution:
    """One holder's line. ``worth`` is the sum of record values, ``counted`` what is paid by, ``share`` its part of 1.

    ``different`` are records after copies within the holding are merged, ``credited`` those that count as the holder's.
    """

    holder: str
    rows: int
    different: int
    credited: float
    worth: float
    p_value: float
    state: State
    quality: float
    counted: float
    share: Fraction


@dataclass(frozen=True)
class Valuation:
    """All lines; ``total`` is the utility of everything together."""

    terms: Terms
    lines: tuple[Contribution, ...]
    total: float
    tests: int
    overlaps: tuple[tuple[str, str, Overlap], ...]

    @property
    def shares(self) -> dict[str, Fraction]:
        """Parts of 1 by holder; empty if nobody contributed."""
        return {line.holder: line.share for line in self.lines if line.share}


def valued(
    holdings: Mapping[str, Holding], tests: Labelled, terms: Terms, rng: np.random.Generator,
    quality: Mapping[str, float] | None = None,
) -> Valuation:  # fmt: skip
    """Value all holders by ``terms`` on test patients that belong to none of them.

    Raises
    ------
    ParameterError
        There is no holder, or the records do not fit each other.
    """
    held = _checked(holdings)
    found = _Copies.among(held, terms)
    records = together([h.records for h in held]).at(found.first)
    scoring = SCORINGS[terms.utility](tests.labels, terms.neighbours)
    values = knn_shapley(records, tests.features, scoring)
    p_values = label_p_values(records, tests, found.credit, terms.permutations, rng)
    lines = list(_lines(holdings, found, found.credit @ values, p_values, terms, quality))
    named = tuple((lines[o.later].holder, lines[o.earlier].holder, o) for o in found.suspects)
    return Valuation(terms, _with_shares(lines, terms), float(values.sum()), tests.rows, named)


@dataclass(frozen=True)
class _Copies:
    """One of the earliest rows of each group, whose the group is, different rows by holder, and suspects."""

    first: np.ndarray
    credit: np.ndarray
    different: list[int]
    suspects: list[Overlap]

    @classmethod
    def among(cls, held: list[Holding], terms: Terms) -> "_Copies":
        prints, registered = [h.prints for h in held], np.array([h.registered for h in held])
        owner = np.repeat(np.arange(len(held)), [h.records.rows for h in held])
        every = joined(prints)
        group = groups(every, terms.alike)
        # By content where several are as early: names and order must not matter.
        order = np.lexsort((every.whole, registered[owner]))
        first = order[np.unique(group[order], return_index=True)[1]]
        different = [len(np.unique(group[owner == i])) for i in range(len(held))]
        suspects = overlaps(prints, registered, terms.alike) if terms.copies == "first" else []
        return cls(first, credit(group, owner, registered, terms.copies), different, suspects)


def _lines(
    holdings: Mapping[str, Holding], found: _Copies, worth: np.ndarray, p_values: np.ndarray, terms: Terms,
    quality: Mapping[str, float] | None,
) -> Iterator[Contribution]:  # fmt: skip
    later = {overlap.later for overlap in found.suspects}
    for i, (name, held) in enumerate(holdings.items()):
        credited, value, p_value = float(found.credit[i].sum()), float(worth[i]), float(p_values[i])
        state = _state(credited, value, better=p_value <= terms.level, suspect=i in later)
        yield Contribution(
            name, held.records.rows, found.different[i], credited, value, p_value, state,
            1.0 if quality is None else float(quality[name]), value if state == "paid" else 0.0, Fraction(0),
        )  # fmt: skip


def _checked(holdings: Mapping[str, Holding]) -> list[Holding]:
    if not holdings:
        raise ParameterError("a valuation must have at least one holder, got none; name the holders")
    if odd := [n for n, h in holdings.items() if h.records.rows != len(h.prints.whole) or not h.records.rows]:
        raise ParameterError(
            f"a holding must have records with one fingerprint each, got another from {', '.join(odd)}; make them again"
        )
    return list(holdings.values())


def _state(credited: float, worth: float, *, better: bool, suspect: bool) -> State:
    if credited == 0:
        return "copy"
    if suspect:
        return "held"
    if worth <= 0:
        return "harmful"
    return "paid" if better else "chance"


def _with_shares(lines: list[Contribution], terms: Terms) -> tuple[Contribution, ...]:
    """Shares by the market's own arithmetic; none if nobody contributed."""
    if not any(line.counted * line.quality > 0 for line in lines):
        return tuple(lines)
    sizes = {line.holder: decimal_of(line.credited) or 1 for line in lines}
    parts = shares(
        {line.holder: decimal_of(line.counted) for line in lines},
        quality={line.holder: decimal_of(line.quality) for line in lines},
        floor=Floor(terms.floor, sizes) if terms.floor else None,
    )
    return tuple(replace(line, share=parts[line.holder]) for line in lines)


def decimal_of(value: float) -> Decimal:
    """A decimal with at most ``DIGITS`` places, which reads back the same everywhere."""
    return Decimal(f"{value:.{DIGITS}f}".rstrip("0").rstrip("."))
