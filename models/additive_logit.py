"""A conditional distribution learnt from pair tables: a multinomial logit with additive effects of its parents.

Belongs here: estimation from a population and tables (exact or noisy), and drawing. Does not belong here: which
attribute depends on which (``event_structure``), or counting (``event_tables``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from models.pair_effects import Effects
from models.simplex import to_shares

MOST_STEPS = 200
TOLERANCE = 1e-7
FLOOR = 0.05  # share of independence that keeps every combination possible
SCALINGS = 30


@dataclass(frozen=True)
class PairTable:
    """Counts over the groups of ``effects``, shape (rows * columns,), and the standard deviation of their noise."""

    effects: Effects
    counts: np.ndarray
    sigma: float = 0.0

    @property
    def grid(self) -> np.ndarray:
        """The counts as rows and columns."""
        return self.counts.reshape(self.effects.grid)


@dataclass(frozen=True)
class AdditiveLogit:
    """``P(child = c | parents) = softmax_c(intercept[c] + sum over parents of effect[parent][c, level])``.

    Parameters
    ----------
    parents : tuple of str
    intercept : numpy.ndarray of float, shape (child levels,)
    effects : list of numpy.ndarray of float, shape (child levels, parent levels)
    """

    parents: tuple[str, ...]
    intercept: np.ndarray
    effects: list[np.ndarray]

    def log_odds(self, codes: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
        """Log-probabilities of each row up to a constant, shape (rows, child levels)."""
        total = np.tile(self.intercept, (rows, 1))
        for name, effect in zip(self.parents, self.effects, strict=True):
            total += effect.T[codes[name]]
        return total

    def draw(self, codes: Mapping[str, np.ndarray], rows: int, rng: np.random.Generator) -> np.ndarray:
        """A level for each row, shape (rows,)."""
        return drawn(self.log_odds(codes, rows), rng)


def drawn(log_odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One level for each row of log-odds, shape (rows,)."""
    cumulative = np.cumsum(np.exp(log_odds - log_odds.max(axis=1, keepdims=True)), axis=1)
    reached = rng.random((len(log_odds), 1)) * cumulative[:, -1:]
    return np.minimum((cumulative <= reached).sum(axis=1), log_odds.shape[1] - 1)


def learn(
    parents: Sequence[str], population: Mapping[str, np.ndarray], weights: np.ndarray, margin: PairTable,
    tables: Sequence[PairTable],
) -> AdditiveLogit:  # fmt: skip
    """The most probable logit (penalised likelihood), given how often each combination of parents occurs.

    The likelihood of a logit needs of the child only its tables with each parent, which may be noisy. Noisy tables are
    first made possible and consistent, and the noise holds every effect back that it would drown
    (``Effects.precision``).

    Parameters
    ----------
    population : mapping of str to numpy.ndarray of int, shape (rows,)
        Levels of the parents: the rows themselves if there is no privacy to keep, else a drawn population.
    weights : numpy.ndarray of float, shape (rows,)
        How often each row counts, up to a factor.
    margin : PairTable
        Counts of the child alone.
    tables : sequence of PairTable
        One per parent.
    """
    problem = _Problem(parents, population, weights, [margin, *tables])
    options = {"maxiter": MOST_STEPS, "ftol": TOLERANCE}
    best = minimize(problem.loss, problem.means, jac=True, method="L-BFGS-B", options=options)
    intercept, *effects = problem.spread(best.x)
    return AdditiveLogit(tuple(parents), intercept[:, 0], effects)


class _Problem:
    """The penalised likelihood of one logit; the first table is the child's margin."""

    def __init__(
        self, parents: Sequence[str], population: Mapping[str, np.ndarray], weights: np.ndarray,
        tables: Sequence[PairTable],
    ) -> None:  # fmt: skip
        self.total = max(float(tables[0].counts.sum()), 1.0)
        rows, self.weights = _distinct({p: population[p] for p in parents}, weights * (self.total / weights.sum()))
        self.parts = [t.effects for t in tables]
        sizes = [part.group.shape[1] for part in self.parts]
        self.design = _design([np.zeros(self.weights.size, dtype=np.int64), *rows.values()], sizes)
        margin = _possible(tables[0], self.total)
        pairs = zip(tables[1:], parents, strict=True)
        counts = [margin, *(_reconciled(t, margin, rows[p], self.weights) for t, p in pairs)]
        self.wanted = np.concatenate([part.patterns @ c for part, c in zip(self.parts, counts, strict=True)])
        self.means = np.concatenate([part.means for part in self.parts])
        self.held = np.concatenate([t.effects.precision(t.counts, t.sigma) for t in tables])
        self.cuts = np.cumsum([part.means.size for part in self.parts])[:-1]
        self.columns = np.cumsum(sizes)[:-1]

    def spread(self, theta: np.ndarray) -> list[np.ndarray]:
        """Effects of the margin and of every parent, shape (child levels, parent levels) each."""
        return [part.spread(t) for part, t in zip(self.parts, np.split(theta, self.cuts), strict=True)]

    def loss(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Negative penalised log-likelihood per row, and its gradient."""
        odds = self.design @ np.concatenate(self.spread(theta), axis=1).T
        highest = np.max(odds, axis=1, keepdims=True)
        raised = np.exp(odds - highest)
        sums = raised.sum(axis=1, keepdims=True)
        expected = (self.design.T @ (raised / sums * self.weights[:, None])).T
        cells = np.split(expected, self.columns, axis=1)
        found = np.concatenate([p.patterns @ p.grouped(c) for p, c in zip(self.parts, cells, strict=True)])
        apart = theta - self.means
        normaliser = float(self.weights @ (np.log(sums) + highest).ravel())
        value = normaliser - float(self.wanted @ theta) + 0.5 * float(self.held @ apart**2)
        return value / self.total, (found - self.wanted + self.held * apart) / self.total


def _distinct(
    population: Mapping[str, np.ndarray], weights: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:  # fmt: skip
    """Each combination of levels once, with its weight."""
    if not population:
        return {}, np.array([weights.sum()])
    rows, of_row = np.unique(np.stack(list(population.values()), axis=1), axis=0, return_inverse=True)
    summed = np.bincount(of_row.reshape(-1), weights=weights)
    return dict(zip(population, rows.T, strict=True)), summed


def _possible(table: PairTable, total: float) -> np.ndarray:
    """Counts that could be: as measured if exact, else the closest that are not negative and add up to ``total``."""
    return table.counts if table.sigma == 0 else total * to_shares(table.counts)


def _reconciled(table: PairTable, margin: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Noisy counts made to agree with the child's margin and with the population (iterative proportional fitting).

    Counts that could not be, or tables that contradict each other, would drive effects without bound.
    """
    counts, seen = _possible(table, float(weights.sum())), table.effects
    if table.sigma == 0 or seen.grid[0] != margin.size or seen.grid[1] == 1:
        return counts
    column = (seen.group % seen.grid[1]).max(axis=0)
    population = np.bincount(column[codes], weights=weights, minlength=seen.grid[1])
    fitted = counts.reshape(seen.grid) + FLOOR * np.outer(margin, population) / weights.sum()
    for _ in range(SCALINGS):
        fitted = fitted * _ratio(margin, fitted.sum(axis=1))[:, None]
        fitted = fitted * _ratio(population, fitted.sum(axis=0))
    return fitted.ravel()


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)


def _design(codes: list[np.ndarray], sizes: list[int]) -> csr_array:
    """One-hot rows of all parents side by side."""
    rows, starts = len(codes[0]), np.concatenate([[0], np.cumsum(sizes)[:-1]])
    columns = np.stack(codes, axis=1) + starts
    pointers = np.arange(rows + 1) * len(codes)
    return csr_array((np.ones(columns.size), columns.ravel(), pointers), shape=(rows, sum(sizes)))
