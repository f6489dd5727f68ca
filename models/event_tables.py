"""Counting events: the only place where a private model of longitudinal records touches them.

Belongs here: pair tables, exact or with noise, the weight of each visit in them, and what they cost. Does not belong
here: which pairs to count (``event_structure``) or learning from them (``event_learning``).

Sensitivity. Neighbouring records differ by one patient with all visits. In tables of first visits and of last visits
a patient counts once. In tables of all visits the visit with number ``k`` counts ``w(k)``, which depends on ``k`` alone
(weights that depend on how many visits follow would bias what follows), and the weights of all possible visits add up
to 1. A patient thus adds a vector of non-negative numbers whose sum, and so whose L2 norm, is at most 1.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.additive_logit import PairTable
from models.event_structure import Link, Rows
from models.event_tokens import NEXT, Events
from models.pair_effects import Axis, Effects, Grain, effects
from records.accounting import rho_to_epsilon, sigma_for
from records.noise import discrete_gaussian
from records.privacy import Mechanism, PrivacySpend

FIRST_UNITS = 12
Key = tuple[str, str | None]


@dataclass(frozen=True)
class EventTables:
    """Tables by (child, parent), parent ``None`` for the child alone."""

    tables: dict[Key, PairTable]

    def of(self, link: Link) -> list[PairTable]:
        """One table per parent."""
        return [self.tables[link.child, parent] for parent in link.parents]

    def margin(self, link: Link, axis: Axis) -> PairTable:
        """Counts of the child alone: the tables' sums over the parent, weighted by their precision."""
        alone = effects(axis, axis, Grain.MARGIN)
        seen = [self.tables[link.child, None]] if (link.child, None) in self.tables else []
        seen += [self.tables[link.child, p] for p, grain in link.parents.items() if grain is not Grain.MOVES]
        spread = np.array([t.sigma**2 * t.effects.grid[1] for t in seen])
        weights = 1 / np.maximum(spread, 1e-9)
        counts = np.average([t.grid.sum(axis=1) for t in seen], axis=0, weights=weights)
        return PairTable(alone, counts, float(np.sqrt(1 / weights.sum())) if spread.any() else 0.0)


def visit_units(rows: Rows, most_visits: int) -> np.ndarray:
    """Whole numbers in which visits 1, 2, ... count; divided by their sum they are the weights.

    They fall with the number of the visit, because fewer and fewer patients have one.
    """
    if rows in (Rows.FIRST, Rows.LAST):
        return np.ones(1, dtype=np.int64)
    numbers = np.arange(1, most_visits + (rows is Rows.ALL))
    return np.maximum(1, np.rint(FIRST_UNITS / numbers)).astype(np.int64)


def visit_weights(number: np.ndarray, rows: Rows, most_visits: int) -> np.ndarray:
    """Weight of visits with these numbers, shape of ``number``."""
    units = visit_units(rows, most_visits)
    at = np.zeros_like(number) if units.size == 1 else number - 1
    return units[at] / units.sum()


@dataclass(frozen=True)
class Query:
    """One pair table to count, and its share of the budget relative to others."""

    child: str
    parent: str | None
    grain: Grain
    rows: Rows
    share: float = 1.0

    @property
    def name(self) -> str:
        """What is counted, in words."""
        return f"counts of {self.child}{f' x {self.parent}' if self.parent else ''} at {self.rows}"


def queries(links: Sequence[Link]) -> list[Query]:
    """Every pair of ``links``; what comes next is counted at last visits, where each patient has one."""
    found = []
    for link in links:
        rows = Rows.LAST if link.child == NEXT else link.rows
        parents = link.parents or {None: Grain.MARGIN}
        found += [Query(link.child, parent, grain, rows) for parent, grain in parents.items()]
    return found


def exact_tables(events: Events, links: Sequence[Link], axes: Mapping[str, Axis]) -> EventTables:
    """Tables without noise, in which every visit counts one; there is no privacy in them."""
    tables = {}
    for query in [Query(k.child, p, g, k.rows) for k in links for p, g in {None: Grain.MARGIN, **k.parents}.items()]:
        rows = chosen(events, query.rows)
        tables[query.child, query.parent] = _counted(events, query, axes, rows, np.ones(rows.sum(), dtype=np.int64))
    return EventTables(tables)


def noisy_tables(
    events: Events, asked: Sequence[Query], axes: Mapping[str, Axis], most_visits: int, *, rho: float, delta: float,
    bits: random.Random | None,
) -> tuple[EventTables, PrivacySpend]:  # fmt: skip
    """Tables with discrete Gaussian noise for zCDP ``rho`` in all, in patients, and what each cost."""
    tables, mechanisms, shares = {}, [], sum(q.share for q in asked)
    for query in asked:
        cost = rho * query.share / shares
        sigma = sigma_for(cost, 1)
        counts, whole = in_units(events, query, axes, most_visits)
        noise = discrete_gaussian(sigma * whole, counts.counts.size, bits)
        tables[query.child, query.parent] = PairTable(counts.effects, (counts.counts + noise) / whole, sigma)
        mechanisms.append(Mechanism("discrete Gaussian", query.name, cost, 1, sigma))
    spent = min(rho, sum(m.rho for m in mechanisms))
    return EventTables(tables), PrivacySpend(tuple(mechanisms), spent, rho_to_epsilon(spent, delta), delta)


def in_units(
    events: Events, query: Query, axes: Mapping[str, Axis], most_visits: int
) -> tuple[PairTable, int]:  # fmt: skip
    """Exact counts in whole units, and the units that a patient has: the most by which a patient changes them."""
    rows, units = chosen(events, query.rows), visit_units(query.rows, most_visits)
    at = units[np.minimum(events.number[rows], units.size) - 1]
    return _counted(events, query, axes, rows, at), int(units.sum())


def to_answers(tables: EventTables) -> list[dict[str, Any]]:
    """Noisy tables as plain JSON values."""
    named = tables.tables.items()
    return [{"child": c, "parent": p, "counts": t.counts.tolist(), "sigma": t.sigma} for (c, p), t in named]


def from_answers(answers: Sequence[Mapping[str, Any]], asked: Sequence[Query], axes: Mapping[str, Axis]) -> EventTables:
    """Tables of ``to_answers``, which must answer ``asked``."""
    known = {(a["child"], a["parent"]): a for a in answers}
    tables = {}
    for query in asked:
        answer = known[query.child, query.parent]
        tables[query.child, query.parent] = PairTable(
            _effects(query, axes), np.array(answer["counts"]), answer["sigma"]
        )
    return EventTables(tables)


def _effects(query: Query, axes: Mapping[str, Axis]) -> Effects:
    return effects(axes[query.child], axes[query.parent] if query.parent else Axis(1), query.grain)


def chosen(events: Events, rows: Rows) -> np.ndarray:
    """Which visits a table counts, shape (visits,)."""
    masks = {Rows.FIRST: events.number == 1, Rows.ON: events.goes_on, Rows.LAST: ~events.goes_on}
    return masks.get(rows, np.ones(events.number.size, dtype=bool))


def _counted(
    events: Events, query: Query, axes: Mapping[str, Axis], rows: np.ndarray, units: np.ndarray
) -> PairTable:  # fmt: skip
    seen = _effects(query, axes)
    under = events.codes[query.parent][rows] if query.parent else np.zeros(int(rows.sum()), dtype=np.int64)
    group = seen.group[events.codes[query.child][rows], under]
    counts = np.bincount(group, weights=units, minlength=seen.grid[0] * seen.grid[1])
    return PairTable(seen, counts)
