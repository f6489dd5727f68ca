"""Drawing level numbers from a graphical model, each row under its own condition.

Belongs here: exact conditioning for many rows at once, and randomised rounding. Does not belong here: learning the
model (``estimation``) or what the levels mean (``attributes``).
"""

from collections.abc import Callable, Mapping

import numpy as np

from models.graphical_model import IMPOSSIBLE, GraphicalModel, expanded, log_summed
from models.junction_tree import Clique

MOST_NUMBERS = 20_000_000  # held at once: more conditions are taken in portions

Levels = Mapping[str, np.ndarray]
Draw = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def sample(
    model: GraphicalModel, n: int, rng: np.random.Generator, *, rounded: bool = True
) -> dict[str, np.ndarray]:  # fmt: skip
    """Level numbers of ``n`` rows by attribute.

    Parameters
    ----------
    rounded : bool
        Meet marginals closely, by randomised rounding; else rows are independent, as rules of inference assume.
    """
    return _drawn(model, {}, {}, np.zeros(n, dtype=np.int64), rng, stratified if rounded else independent)


def sample_given(
    model: GraphicalModel, known: Levels, rng: np.random.Generator, allowed: Levels | None = None
) -> dict[str, np.ndarray]:
    """Level numbers by attribute, each row drawn from the model's exact distribution under its own condition.

    One collecting pass of belief propagation on the tables that are left once known levels are fixed, for all
    distinct conditions together, and then ancestral sampling (Dawid, 1992).

    Parameters
    ----------
    known : mapping of str to numpy.ndarray of int, shape (rows,)
        Levels that are fixed; they come back as they are.
    allowed : mapping of str to numpy.ndarray of bool, shape (rows, levels)
        Levels that are possible for other attributes.
    """
    wanted = {name: np.asarray(codes) for name, codes in known.items()}
    masks = dict(allowed or {})
    rows = np.column_stack([*wanted.values(), *(np.packbits(mask, axis=1) for mask in masks.values())])
    _, first, of_row = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    of_row = of_row.reshape(-1)
    codes = {name: np.empty(of_row.size, dtype=np.int64) for name in model.tree.levels}
    free = [[a for a in clique if a not in wanted] for clique in model.tree.cliques]
    widest = max(int(np.prod([model.tree.levels[a] for a in names], dtype=float)) for names in free)
    portion = max(1, MOST_NUMBERS // widest)
    for start in range(0, first.size, portion):
        some, here = first[start : start + portion], np.flatnonzero((of_row >= start) & (of_row < start + portion))
        fixed, possible = {a: c[some] for a, c in wanted.items()}, {a: m[some] for a, m in masks.items()}
        for name, drawn in _drawn(model, fixed, possible, of_row[here] - start, rng, stratified).items():
            codes[name][here] = drawn
    return codes


def _drawn(
    model: GraphicalModel, known: Levels, allowed: Levels, condition: np.ndarray, rng: np.random.Generator, draw: Draw
) -> dict[str, np.ndarray]:
    """Rows, one per entry of ``condition``, which is a position in the arrays of ``known`` and ``allowed``."""
    tree = model.tree
    codes = {name: levels[condition] for name, levels in known.items()}
    for table, free in _collected(model, known, allowed):
        seen = [a for a in free if a in codes]
        new = [a for a in free if a not in codes]
        sizes = [table.shape[0], *(tree.levels[a] for a in seen)]
        by_row = np.moveaxis(table, [1 + free.index(a) for a in seen], range(1, 1 + len(seen)))
        where = condition if table.shape[0] > 1 else np.zeros_like(condition)
        groups, group = np.unique(np.ravel_multi_index([where, *(codes[a] for a in seen)], sizes), return_inverse=True)
        weights = by_row.reshape(int(np.prod(sizes)), -1)[groups]
        drawn = draw(np.exp(weights - weights.max(axis=1, keepdims=True)), group.reshape(-1), rng)
        codes |= dict(zip(new, np.unravel_index(drawn, [tree.levels[a] for a in new]), strict=True)) if new else {}
    return codes


def _collected(model: GraphicalModel, known: Levels, allowed: Levels) -> list[tuple[np.ndarray, Clique]]:
    """Log-tables over each clique's free attributes that hold all that lies below; first axis: condition, or 1."""
    tree = model.tree
    sliced = [_sliced(p, c, known) for p, c in zip(model.potentials, tree.cliques, strict=True)]
    tables, free = [t for t, _ in sliced], [f for _, f in sliced]
    for name, mask in allowed.items():
        home = tree.holder([name])
        tables[home] = tables[home] + _over(np.where(mask, 0.0, 2 * IMPOSSIBLE), (name,), free[home])
    for child in range(len(tables) - 1, -1, -1):
        parent = tree.parents[child]
        if parent is not None:
            shared = tuple(a for a in free[child] if a in tree.separators[child])
            message = log_summed(tables[child], ("", *free[child]), ("", *shared))
            tables[parent] = tables[parent] + _over(message, shared, free[parent])
    return list(zip(tables, free, strict=True))


def _sliced(potential: np.ndarray, clique: Clique, known: Levels) -> tuple[np.ndarray, Clique]:
    held = [a for a in clique if a in known]
    free = tuple(a for a in clique if a not in known)
    if not held:
        return potential[None], free
    moved = np.moveaxis(potential, [clique.index(a) for a in held], range(len(held)))
    return moved[tuple(known[a] for a in held)], free


def _over(table: np.ndarray, attributes: Clique, clique: Clique) -> np.ndarray:
    """``table`` (first axis: condition) with an axis of length 1 for each attribute of ``clique`` that it lacks."""
    return expanded(table, ("", *attributes), ("", *clique))


def stratified(table: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A column index for each entry of ``rows``, from that row of ``table``, by systematic sampling within each row.

    Parameters
    ----------
    table : numpy.ndarray of float, shape (conditions, outcomes)
        Non-negative weights.
    rows : numpy.ndarray of int, shape (n,)

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Every outcome is drawn ``floor`` or ``ceil`` of its expected number of times.
    """
    conditions = len(table)
    order = np.lexsort((rng.random(rows.size), rows))
    counts = np.bincount(rows, minlength=conditions)
    rank = np.arange(rows.size) - np.repeat(np.cumsum(counts) - counts, counts)
    ordered = rows[order]
    uniform = (rank + rng.random(conditions)[ordered]) / counts[ordered]
    drawn = np.empty(rows.size, dtype=np.int64)
    drawn[order] = _inverted(table, ordered, uniform)
    return drawn


def independent(table: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As ``stratified``, but each entry is drawn by itself."""
    return _inverted(table, rows, rng.random(rows.size))


def _inverted(table: np.ndarray, rows: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """The column at which the cumulative share of each row of ``table`` passes ``uniform``."""
    conditions, outcomes = table.shape
    totals = table.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, table / np.where(totals > 0, totals, 1), 1 / outcomes)
    cumulative = np.cumsum(shares, axis=1)
    cumulative /= cumulative[:, -1:]
    flat = (cumulative + np.arange(conditions)[:, None]).ravel()
    found = np.searchsorted(flat, np.minimum(uniform, 1 - 1e-12) + rows, side="right") - rows * outcomes
    return np.clip(found, 0, outcomes - 1)
