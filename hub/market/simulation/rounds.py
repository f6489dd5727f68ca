"""Rounds of the market: holders list, buyers pay, the rule shares.

Belongs here: one round, all rounds, and the books of who earned what. Does not belong here: summaries (``summary``).

Two experiments. *Deviation*: six honest holders and one, the focal holder, who has the same patients under every strategy; what it
earns, all names together, beside what it earns if honest, is the strategy's gain. *Crowd*: honest holders and cheats at once; what
each kind earns per own patient.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hub.market.simulation.rules import RULES
from hub.market.simulation.strategies import STRATEGIES, Means, dealt
from hub.market.simulation.table import Study
from hub.market.splits import split
from hub.valuation.contribution import Holding, Terms
from hub.valuation.copies import likeness
from hub.valuation.features import labelled
from hub.valuation.fingerprints import fingerprints
from hub.valuation.nearest import Labelled, together
from hub.valuation.utility import utility
from records.errors import ParameterError

SIZES = {"h1": 2.0, "h2": 1.5, "h3": 1.0, "h4": 1.0, "h5": 0.7, "h6": 0.4, "focal": 1.0, "test": 2.4}
FOCAL, TEST, VICTIM = "focal", "test", "h1"
CROWD = {
    "h2": "honest", "h3": "honest", "h4": "honest", "h5": "random outcomes", "h6": "poisoning", "focal": "own + copies",
    "h7": "two names", "h8": "adding junk",
}  # fmt: skip
CROWD_SIZES = {"h1": 1.5, **dict.fromkeys(CROWD, 1.0), TEST: 2.4}
BUYERS, PRICE = 6, 500_000  # cents
TERMS = Terms(permutations=199)


@dataclass(frozen=True)
class Buyers:
    """Each pays the price if its budget allows and the data are as good as it needs."""

    budgets: np.ndarray
    needs: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Buyers":
        """Budgets around the price; needs between useless and good."""
        return cls(rng.lognormal(np.log(2 * PRICE), 0.8, BUYERS), rng.uniform(0.5, 0.75, BUYERS))

    def paid(self, auc: float) -> int:
        """Cents from all buyers."""
        return int(((self.budgets >= PRICE) & (auc >= self.needs)).sum()) * PRICE


@dataclass(frozen=True)
class Round:
    """One division of the patients, with its buyers and a seed for each market in it."""

    number: int
    study: Study
    parts: Mapping[str, pl.DataFrame]
    tests: Labelled
    terms: Terms
    buyers: Buyers
    key: bytes
    seed: int

    def holding(self, frame: pl.DataFrame, registered: float) -> Holding:
        """A name's listed table as a market sees it."""
        records, _ = labelled(frame, self.study.schema, self.study.schema.outcomes[0])
        return Holding(records, fingerprints(frame, self.study.schema, self.key), registered)

    def earned(self, holdings: Mapping[str, Holding]) -> Iterator[tuple[str, int, dict[str, int]]]:
        """Under each rule: its name, revenue, and cents by name."""
        pooled = [together([h.records for h in holdings.values()])]
        quality = utility("auc-linear").game(pooled, self.tests, 1).value(np.array([True])) + 0.5
        revenue = self.buyers.paid(quality)
        for name, rule in RULES.items():
            weights = rule(holdings, self.tests, self.terms, np.random.default_rng(self.seed))
            yield name, revenue, split(revenue, weights) if any(w > 0 for w in weights.values()) else {}


def simulate(
    studies: Sequence[Study], rounds: int, seed: int, tell: Callable[[int], object] = lambda done: None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both experiments: what the focal holder earned by strategy and rule, and what each holder of the crowd earned.

    Parameters
    ----------
    studies : sequence of Study
        Rounds take them in turn.
    tell : callable
        Told how many rounds are done.

    Raises
    ------
    ParameterError
        No round or no study was asked for.
    """
    if rounds < 1 or not studies:
        raise ParameterError(
            f"a simulation must have a round and a cohort, got {rounds} and {len(studies)}; ask for some"
        )
    deviations: list[dict[str, Any]] = []
    crowds: list[dict[str, Any]] = []
    for number in range(rounds):
        study = studies[number % len(studies)]
        deviations += _deviations(_round(study, number, seed, SIZES))
        crowds += _crowd(_round(study, number, seed, CROWD_SIZES))
        tell(number + 1)
    return pl.DataFrame(deviations), pl.DataFrame(crowds)


def _round(study: Study, number: int, seed: int, sizes: Mapping[str, float]) -> Round:
    rng = np.random.default_rng([seed, number])
    parts = {name: study.frame[rows] for name, rows in dealt(study.frame.height, sizes, rng).items()}
    tests, _ = labelled(parts[TEST], study.schema, study.schema.outcomes[0])
    key = rng.bytes(32)
    # What counts as a copy is agreed before anybody lists, from patients of whom nobody sells.
    least = likeness([fingerprints(study.frame, study.schema, key)])
    return Round(
        number, study, parts, tests, TERMS.model_copy(update={"alike": least}), Buyers.drawn(rng), key,
        int(rng.integers(2**31)),
    )  # fmt: skip


def _deviations(market: Round) -> Iterator[dict[str, Any]]:
    others = {
        name: market.holding(part, float(i))
        for i, (name, part) in enumerate(market.parts.items())
        if name not in (FOCAL, TEST)
    }
    for name, strategy in STRATEGIES.items():
        means = _means(market, FOCAL)
        listed = strategy.listed(means)
        mine = {n: market.holding(t, -1.0 if strategy.early else 10.0 + i) for i, (n, t) in enumerate(listed.items())}
        for rule, revenue, cents in market.earned(others | mine):
            yield {
                "round": market.number, "cohort": market.study.name, "rule": rule, "strategy": name,
                "kind": strategy.kind, "revenue": revenue, "cents": sum(cents.get(n, 0) for n in mine),
                "patients": means.own.height,
            }  # fmt: skip


def _crowd(market: Round) -> Iterator[dict[str, Any]]:
    holdings, owners = {VICTIM: market.holding(market.parts[VICTIM], 0.0)}, {VICTIM: VICTIM}
    for place, (holder, strategy) in enumerate(CROWD.items(), 1):
        for name, table in STRATEGIES[strategy].listed(_means(market, holder)).items():
            named = name.replace(FOCAL, holder)
            holdings[named], owners[named] = market.holding(table, float(place)), holder
    for rule, revenue, cents in market.earned(holdings):
        for holder, strategy in {VICTIM: "honest", **CROWD}.items():
            yield {
                "round": market.number, "cohort": market.study.name, "rule": rule, "holder": holder,
                "strategy": strategy, "revenue": revenue,
                "cents": sum(c for n, c in cents.items() if owners[n] == holder),
                "patients": market.parts[holder].height,
            }  # fmt: skip


def _means(market: Round, holder: str) -> Means:
    return Means(
        market.parts[holder], market.parts[VICTIM], market.study.schema, np.random.default_rng([market.seed, 1])
    )  # fmt: skip
