"""Learning every link of the event structure, from rows or from noisy tables alone.

Belongs here: which population each conditional distribution is fitted on. Does not belong here: counting
(``event_tables``), the fit of one (``additive_logit``), or drawing histories (``trajectory_sampler``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from models.additive_logit import AdditiveLogit, PairTable, learn
from models.event_structure import Link, Rows, axes, full_structure, lean_structure
from models.event_tables import EventTables, Key, Query, chosen, exact_tables, queries, visit_weights
from models.event_tokens import (
    COUNT,
    END,
    NEXT,
    NUMBER,
    PHASE,
    TAIL,
    VISIT,
    WAIT,
    Codes,
    Events,
    later,
    number_level,
    phase,
)
from models.pair_effects import Grain
from models.simplex import to_shares
from models.trajectory_sampler import histories
from records.longitudinal import LongitudinalSchema

DRAWN = 4000
CALIBRATIONS = 5
LEADING = 3.0
WEIGHTY = {(END, None): 3.0, (COUNT, None): 2.0, (NEXT, NUMBER): 3.0, (TAIL, NEXT): 2.0, (WAIT, PHASE): 4.0}
Logits = dict[str, AdditiveLogit]
Tell = Callable[[float], None]


def learn_rows(events: Events, schema: LongitudinalSchema, tell: Tell) -> Logits:
    """Every link of the full structure, each fitted on the rows at which it applies; without privacy."""
    links, ax = full_structure(schema), axes(schema)
    tables, logits = exact_tables(events, links, ax), {}
    for done, link in enumerate(links, 1):
        rows = chosen(events, link.rows)
        population = {name: events.codes[name][rows] for name in link.parents}
        margin = tables.tables[link.child, None]
        with threadpool_limits(limits=1):
            logits[link.child] = learn(tuple(link.parents), population, np.ones(rows.sum()), margin, tables.of(link))
        tell(done / len(links))
    return logits


def lean_queries(schema: LongitudinalSchema) -> list[Query]:
    """The tables that ``learn_tables`` needs."""
    lead = schema.leading[0]
    told = {(later(c.name), later(lead)) for c in schema.measurements}
    asked = [q for q in queries(lean_structure(schema)) if (q.child, q.parent) not in told]
    asked += [Query(lead, None, Grain.MARGIN, Rows.FIRST), Query(later(lead), None, Grain.MARGIN, Rows.ON)]
    asked += [Query(name, None, Grain.MARGIN, Rows.LAST) for name in (END, COUNT)]
    return [replace(q, share=_share(q, schema)) for q in asked]


def learn_tables(
    tables: EventTables, schema: LongitudinalSchema, rng: np.random.Generator, tell: Tell
) -> tuple[Logits, float]:
    """Every link of the lean structure from noisy tables, and the estimated number of patients.

    The rows are not looked at: where a link has several parents, how often they occur together is taken from a
    population drawn from the links learnt before.
    """
    with threadpool_limits(limits=1):
        return _Learner(EventTables(dict(tables.tables)), schema, rng, tell).learnt()


def _share(query: Query, schema: LongitudinalSchema) -> float:
    """Relative budget: much for how follow-up ends and when visits are, little for effects of baseline."""
    if (query.child, query.parent) in WEIGHTY:
        return WEIGHTY[query.child, query.parent]
    if (query.child, query.parent) == (NEXT, schema.leading[0]):
        return LEADING
    if query.grain is Grain.MOVES:
        return 2.0 if query.parent == schema.leading[0] else 1.0
    if {query.child, query.parent} & {c.name for c in schema.baseline}:
        return 0.5
    return 1.5 if query.rows is Rows.FIRST else 1.0


@dataclass
class _Learner:
    tables: EventTables
    schema: LongitudinalSchema
    rng: np.random.Generator
    tell: Tell

    def learnt(self) -> tuple[Logits, float]:
        self.axes = axes(self.schema)
        self.links = {k.child: k for k in lean_structure(self.schema)}
        self.logits: Logits = {}
        lead, *others = [c.name for c in self.schema.measurements]
        first = self._first()
        number = self._visit_numbers()
        visits = self._visits(first, number, lead, others)
        self._next(visits)
        on = (visits[NEXT] == VISIT) & (number < self.schema.most_visits)
        on[:2] = [True, False]  # whatever the noise, some go on and some do not
        number[0] = 1
        self._ends({name: codes[~on] for name, codes in visits.items()})
        self._following({name: codes[on] for name, codes in visits.items()}, number[on], lead, others)
        self._calibrate(first)
        self.tell(1.0)
        return self.logits, self.patients

    def _calibrate(self, first: Codes) -> None:
        """Histories drawn from all links together end, at each visit number, as often as was counted.

        What was learnt apart need not fit together; a few log-odds by visit number and event make up for it.
        """
        link, number = self.links[NEXT], np.arange(1, self.schema.most_visits + 1)
        ends = np.maximum(self.tables.tables[NEXT, NUMBER].grid[VISIT + 1 :], 0.5)
        exposed = np.bincount(number_level(number), weights=self.reach, minlength=ends.shape[1])
        wanted = np.log(ends / np.maximum(exposed, 1.0))
        effect = self.logits[NEXT].effects[list(link.parents).index(NUMBER)]
        for _ in range(CALIBRATIONS):
            drawn = histories(self.logits, first, self.schema, self.rng)
            last = np.bincount(drawn.patient, minlength=DRAWN)
            reach = (last[:, None] >= number).sum(axis=0)
            found = np.zeros(ends.shape)
            np.add.at(found, (drawn.event, number_level(last)), 1.0)
            exposed = np.bincount(number_level(number), weights=reach, minlength=ends.shape[1])
            now = np.log(np.maximum(found, 0.5) / np.maximum(exposed, 1.0))
            effect[VISIT + 1 :] += np.clip(wanted - now, -1, 1)

    def _fit(self, link: Link, population: Codes, weights: np.ndarray, tables: Sequence[PairTable]) -> AdditiveLogit:
        margin = self.tables.margin(link, self.axes[link.child])
        self.tell(len(self.logits) / len(self.links))
        return learn(tuple(link.parents), population, weights, margin, tables)

    def _first(self) -> Codes:
        """Baseline and measurements of first visits."""
        drawn: Codes = {}
        for link in self.links.values():
            if link.rows is Rows.FIRST:
                self.logits[link.child] = self._fit(link, drawn, np.ones(DRAWN), self.tables.of(link))
                drawn[link.child] = self.logits[link.child].draw(drawn, DRAWN, self.rng)
        return drawn

    def _visit_numbers(self) -> np.ndarray:
        """Numbers of drawn visits, as often as patients have such a visit; totals of patients and visits on the way."""
        ends = np.maximum(self.tables.tables[NEXT, NUMBER].grid[VISIT + 1 :], 0)
        self.patients = float(max(ends.sum(), 1.0))
        last = to_shares(self.tables.tables[COUNT, None].counts)
        self.reach = self.patients * np.maximum(last[::-1].cumsum()[::-1], 1e-9)
        self.visits = float(self.reach.sum())
        return self.rng.choice(np.arange(1, last.size + 1), size=DRAWN, p=self.reach / self.visits)

    def _visits(self, first: Codes, number: np.ndarray, lead: str, others: list[str]) -> Codes:
        """A population of visits: who, the visit's number, and all measurements."""
        who = self.rng.permutation(DRAWN)
        visits = {c.name: first[c.name][who] for c in self.schema.baseline} | {
            NUMBER: number_level(number),
            PHASE: phase(number),
        }
        self.tables.tables[later(lead), None] = self._pooled(lead)
        following = self._fit(Link(later(lead), {}, Rows.ON), {}, np.ones(DRAWN), []).draw({}, DRAWN, self.rng)
        visits[lead] = np.where(number == 1, first[lead], following)
        for name in others:
            visits[name] = self.logits[name].draw(visits, DRAWN, self.rng)
        return visits

    def _next(self, visits: Codes) -> None:
        """What comes next: last visits were counted, and every other visit is followed by one."""
        link, weights = self.links[NEXT], np.full(DRAWN, self.visits / DRAWN)
        tables = [self._completed(self.tables.tables[NEXT, p], visits[p], weights) for p in link.parents]
        margin = self.tables.margin(link, self.axes[NEXT])
        alone = self._completed(margin, np.zeros(DRAWN, dtype=np.int64), weights)
        self.logits[NEXT] = learn(tuple(link.parents), visits, weights, alone, tables)
        visits[NEXT] = self.logits[NEXT].draw(visits, DRAWN, self.rng)

    def _completed(self, table: PairTable, codes: np.ndarray, weights: np.ndarray) -> PairTable:
        column = (table.effects.group % table.effects.grid[1]).max(axis=0)[codes]
        grid = table.grid.copy()
        grid[VISIT] = np.bincount(column, weights=weights, minlength=grid.shape[1]) - grid[VISIT + 1 :].sum(axis=0)
        return PairTable(table.effects, grid.ravel(), table.sigma)

    def _ends(self, last: Codes) -> None:
        link = self.links[TAIL]
        self.logits[TAIL] = self._fit(link, last, np.ones(last[NEXT].size), self.tables.of(link))

    def _following(self, visits: Codes, number: np.ndarray, lead: str, others: list[str]) -> None:
        """The gap to the next visit and its measurements, which follow the leading one as they do at any visit."""
        weights = visit_weights(number, Rows.ON, self.schema.most_visits)
        for name in (WAIT, later(lead)):
            self.logits[name] = self._fit(self.links[name], visits, weights, self.tables.of(self.links[name]))
        visits[later(lead)] = self.logits[later(lead)].draw(visits, number.size, self.rng)
        for name in others:
            self.tables.tables[later(name), later(lead)] = self._as_next(name, lead, (later(name), name))
            link = self.links[later(name)]
            self.logits[link.child] = self._fit(link, visits, weights, self.tables.of(link))

    def _pooled(self, lead: str) -> PairTable:
        """Counts of the leading measurement at next visits, steadied by those at first visits."""
        ahead, first = self.tables.tables[later(lead), None], self._as_next(lead, None, (later(lead), None))
        steady = np.array([ahead.sigma, first.sigma]) ** -2.0
        counts = np.average([ahead.counts, first.counts], axis=0, weights=steady)
        return PairTable(ahead.effects, counts, float(steady.sum() ** -0.5))

    def _as_next(self, child: str, parent: str | None, like: Key) -> PairTable:
        """A table of all visits taken for one of next visits, scaled to the total of the table ``like``."""
        table, total = self.tables.tables[child, parent], self.tables.tables[like].counts.sum()
        ratio = max(total, 1.0) / max(table.counts.sum(), 1.0)
        return PairTable(table.effects, table.counts * ratio, table.sigma * ratio)
