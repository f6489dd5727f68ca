"""How a parent's level may move a child's level: few broad effects that are trusted, many narrow ones that are not.

Belongs here: the effects on the log-odds of a pair of attributes, the groups of cells in which they are measured, and
how strongly each is held back. Does not belong here: fitting them (``additive_logit``).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

FREE, BROAD, WIDE, NARROW = 5.0, 3.0, 1.0, 0.25
STAY = 2.0  # known of any measurement before it is seen: it stays, and e times more seldom moves each step further
STEPS = (0, 1, 2, 3, 5)
THIRDS = 3


class Grain(StrEnum):
    """How finely the cells of a pair of attributes are told apart."""

    MARGIN = "the child alone"
    CELLS = "every cell"
    SELF = "every cell of one measurement at two visits"
    THIRDS = "each level of the child, the parent in thirds"
    MOVES = "stay, rise and fall"


@dataclass(frozen=True)
class Axis:
    """Levels of an attribute, of which the last may stand for missing; the others are in public order."""

    levels: int
    missing: bool = False

    @property
    def values(self) -> int:
        """Number of levels without the one for missing."""
        return self.levels - int(self.missing)

    @property
    def score(self) -> np.ndarray:
        """Levels from -1 to 1, missing 0, shape (levels,)."""
        scores = np.linspace(-1, 1, self.values) if self.values > 1 else np.zeros(self.values)
        return np.append(scores, 0.0) if self.missing else scores

    @property
    def gone(self) -> np.ndarray:
        """1 for missing and 0 for every value, shape (levels,)."""
        return (np.arange(self.levels) >= self.values).astype(float)

    def thirds(self) -> tuple["Axis", np.ndarray]:
        """A coarser axis of at most three groups of neighbours, and the group of each level."""
        groups = min(THIRDS, self.values)
        of_level = np.minimum(np.arange(self.levels) * groups // self.values, groups - 1 + self.gone.astype(int))
        return Axis(groups + int(self.missing), self.missing), of_level


@dataclass(frozen=True)
class Effects:
    """Patterns over groups of cells, whose weighted sum is the effect of the parent on the child's log-odds.

    Parameters
    ----------
    patterns : numpy.ndarray of float, shape (effects, rows * columns)
        Groups form a grid: child levels by parent levels or thirds, or moves by one column.
    means, scales : numpy.ndarray of float, shape (effects,)
        What each weight is held to be before anything is learnt.
    group : numpy.ndarray of int, shape (child levels, parent levels)
        Group of each cell.
    grid : tuple of int
        Rows and columns.
    """

    patterns: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    group: np.ndarray
    grid: tuple[int, int]

    def grouped(self, cells: np.ndarray) -> np.ndarray:
        """Sums of a table over the groups, shape (rows * columns,)."""
        return np.bincount(self.group.ravel(), weights=cells.ravel(), minlength=self.grid[0] * self.grid[1])

    def spread(self, weights: np.ndarray) -> np.ndarray:
        """Effect of every parent level on every child level, shape (child levels, parent levels)."""
        return (weights @ self.patterns)[self.group]

    def precision(self, counts: np.ndarray, sigma: float) -> np.ndarray:
        """Precision with which each weight is held at its mean, shape (effects,).

        A weight of prior variance ``s^2`` whose sum has information ``H`` and noise of variance ``v`` is best held
        back with precision ``(1 + v / H) / s^2``, the Bayes rule for one weight; ``H`` is that of independence.
        """
        held = np.ones(len(self.scales))
        if sigma > 0:
            table, squares = counts.reshape(self.grid), self.patterns**2
            rows, columns = _shares(table.sum(axis=1)), _shares(table.sum(axis=0))
            information = squares @ np.outer(rows * (1 - rows), columns).ravel() * max(table.sum(), 1.0)
            held += sigma**2 * squares.sum(axis=1) / np.maximum(information, 1e-3)
        return held / self.scales**2


def effects(child: Axis, parent: Axis, grain: Grain) -> Effects:
    """Effects of a pair.

    Free: the child's own shape. Broad: trend against trend, missing with missing, and for one measurement at two visits
    to stay, rise or fall. Wide: each level of the child against the parent's trend. Narrow: every group.
    """
    if grain is Grain.MARGIN:
        return _margin(child)
    if grain is Grain.MOVES:
        return _moves(child)
    seen, of_level = parent.thirds() if grain is Grain.THIRDS else (parent, np.arange(parent.levels))
    broad = [np.outer(child.score, seen.score), np.outer(child.gone, seen.gone)]
    wide = [np.outer(row, column) for row in np.eye(child.levels) for column in (seen.score, seen.gone)]
    parts = [(p, 0.0, BROAD) for p in broad] + [(p, 0.0, WIDE) for p in wide]
    if grain is Grain.SELF:
        apart = np.subtract.outer(np.arange(child.levels), np.arange(child.levels))
        both = np.outer(1 - child.gone, 1 - child.gone)
        parts += [((apart == step) * both, 0.0, BROAD) for step in (0, 1, -1)]
    group = np.arange(child.levels)[:, None] * seen.levels + of_level
    return _assembled(parts, group, (child.levels, seen.levels))


def _margin(child: Axis) -> Effects:
    shapes = [*(child.score**power for power in (1, 2, 3)), child.gone]
    parts = [(shape[:, None], 0.0, FREE) for shape in shapes if shape.any()]
    parts += [(level[:, None], 0.0, WIDE) for level in np.eye(child.levels)]
    return _assembled(parts, np.arange(child.levels)[:, None], (child.levels, 1), narrow=False)


def _moves(axis: Axis) -> Effects:
    """Rows: by how many levels the value fell or rose (5 or more, 3 to 4, 2, 1, 0), went missing, came back, stayed missing."""
    apart = np.subtract.outer(np.arange(axis.levels), np.arange(axis.levels))
    size = np.searchsorted(STEPS, np.abs(apart), side="right") - 1
    now, before = axis.gone[:, None] > 0, axis.gone[None, :] > 0
    far = len(STEPS) - 1
    move = np.select([now & before, now, before], [2 * far + 3, 2 * far + 1, 2 * far + 2], far + np.sign(apart) * size)
    means = [*(STAY - np.abs(np.arange(-far, far + 1))), 0.0, 0.0, STAY]
    parts = [(row[:, None], mean, WIDE) for row, mean in zip(np.eye(len(means)), means, strict=True)]
    return _assembled(parts, move, (len(means), 1), narrow=False)


def _assembled(
    parts: list[tuple[np.ndarray, float, float]], group: np.ndarray, grid: tuple[int, int], *, narrow: bool = True
) -> Effects:
    """Patterns that are empty are dropped; narrow ones, one per group, come last."""
    kept = [(p, mean, scale) for p, mean, scale in parts if np.any(p)]
    cells = np.eye(grid[0] * grid[1]) if narrow else np.zeros((0, grid[0] * grid[1]))
    patterns = np.concatenate([np.reshape([p for p, _, _ in kept], (len(kept), -1)), cells])
    means = np.append([mean for _, mean, _ in kept], np.zeros(len(cells)))
    scales = np.append([scale for _, _, scale in kept], np.full(len(cells), NARROW))
    return Effects(patterns, means, scales, group, grid)


def _shares(margin: np.ndarray) -> np.ndarray:
    """A noisy margin as shares that are all positive."""
    kept = np.maximum(margin, 0) + max(1.0, 0.01 * abs(margin.sum())) / margin.size
    return kept / kept.sum()
