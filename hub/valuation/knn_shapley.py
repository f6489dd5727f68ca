"""Exact Shapley values of records in the game of a nearest-neighbour classifier.

Belongs here: the closed form for one record, ties averaged. Does not belong here: copies (``copies``), what is paid
(``contribution``).

A coalition's utility is the score of its K nearest records, averaged over test patients (``Scoring``). Summed over a holder's
records, the values do not depend on how records are divided among names. Records at one distance are ranked in random order, in
expectation, so that equal records have equal values.

References
----------
Jia et al. (2019), Efficient task-specific data valuation for nearest neighbor algorithms, PVLDB 12(11), Theorem 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hub.valuation.nearest import Labelled, Ranks, rankings
from records.errors import ParameterError


@dataclass(frozen=True)
class Scoring:
    """What a neighbour with each label scores at each test patient.

    Parameters
    ----------
    scores : numpy.ndarray of float, shape (tests, classes)
    neighbours : int
        K; an absent neighbour scores 0.
    """

    scores: np.ndarray
    neighbours: int

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ParameterError(f"neighbours must be at least 1, got {self.neighbours}; 30 is usual")

    @property
    def spread(self) -> float:
        """Largest utility less smallest, over all coalitions."""
        high, low = np.maximum(self.scores.max(axis=1), 0), np.minimum(self.scores.min(axis=1), 0)
        return float((high - low).mean())


def accuracy(labels: np.ndarray, neighbours: int) -> Scoring:
    """Part of the K neighbours that have the patient's label, as published; a majority label scores without knowledge."""
    return Scoring(np.eye(_classes(labels))[labels], neighbours)


def balanced(labels: np.ndarray, neighbours: int) -> Scoring:
    """As accuracy, less chance, each class of test patients weighing the same: labels drawn at random score 0 on average."""
    classes = _classes(labels)
    counts = np.bincount(labels, minlength=classes)
    if not counts.all():
        raise ParameterError("test patients must show each label, got one that none has; choose more test patients")
    weights = len(labels) / (classes * counts[labels])
    return Scoring(weights[:, None] * (np.eye(classes)[labels] - 1 / classes), neighbours)


def knn_shapley(records: Labelled, tests: np.ndarray, scoring: Scoring) -> np.ndarray:
    """Shapley value of each record, shape (records,); they add up to the utility of all.

    Parameters
    ----------
    tests : numpy.ndarray, shape (tests, features)
    """
    total = np.zeros(records.rows)
    for ranks, held in _held(records, tests, scoring):
        rule = _Rule.of(ranks, scoring.neighbours)
        each = rule.per_member(rule.own) * held + rule.per_member(rule.mates) * (rule.sums(held) - held)
        each += rule.after(rule.per_member(rule.later) * held)
        total += np.bincount(ranks.order.ravel(), weights=each, minlength=records.rows)
    return total / len(tests)


def _held(records: Labelled, tests: np.ndarray, scoring: Scoring) -> Iterator[tuple[Ranks, np.ndarray]]:
    """Rankings with the score of the record at each rank, flattened."""
    if records.rows and int(records.labels.max()) >= scoring.scores.shape[1]:
        raise ParameterError("records must have labels that test patients have, got another; leave its records out")
    for ranks in rankings(records.features, tests):
        labels = records.labels[ranks.order]
        yield ranks, np.take_along_axis(scoring.scores[ranks.tests], labels, axis=1).ravel()


@dataclass(frozen=True)
class _Rule:
    """How much a record's value owes to scores: its ``own``, its ``mates'`` at the same distance, and ``later`` ones.

    A record at rank i of n has a_i f_i + sum over j > i of (a_j - a_(j-1)) f_j with a_i = min(K, i) / (K i); at ties, the mean
    over all orders of the group. Numbers by group.
    """

    ranks: Ranks
    own: np.ndarray
    mates: np.ndarray
    later: np.ndarray

    @classmethod
    def of(cls, ranks: Ranks, neighbours: int) -> "_Rule":
        records = ranks.order.shape[1]
        rank = np.arange(1, records + 1)
        weight = np.minimum(neighbours, rank) / (neighbours * rank)
        steps = np.diff(weight, prepend=weight[0])
        sums = [np.concatenate([[0.0], np.cumsum(x)]) for x in (weight, steps, steps * rank)]
        first, size = ranks.starts % records, ranks.sizes
        weights, changes, ranked = (s[first + size] - s[first] for s in sums)
        mates = (ranked - (first + 1) * changes) / np.maximum(size * (size - 1), 1)
        return cls(ranks, weights / size, np.where(size > 1, mates, 0.0), changes / size)

    def per_member(self, by_group: np.ndarray) -> np.ndarray:
        return np.repeat(by_group, self.ranks.sizes)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """For each record, the sum over its group."""
        return self.per_member(np.add.reduceat(values, self.ranks.starts))

    def after(self, values: np.ndarray) -> np.ndarray:
        """For each record, the sum over farther groups."""
        back = np.cumsum(values.reshape(self.ranks.order.shape)[:, ::-1], axis=1)[:, ::-1].ravel() - values
        return self.per_member(back[self.ranks.starts + self.ranks.sizes - 1])


def _classes(labels: np.ndarray) -> int:
    if not len(labels):
        raise ParameterError("there must be test patients, got none; hold some out")
    return max(int(labels.max()) + 1, 2)
