"""Small counts are never opened: first only whether each count is large enough, then those that are.

Belongs here: the rule for counts on shares, and how a result tells what was left out. Does not belong here: what several
jobs tell together. Two jobs that differ by one patient may tell about that patient; noise (``noise``) is the remedy,
and a party's own rules limit what it answers.

References
----------
Hundepool et al. (2012), Statistical disclosure control, chapter 4: primary and secondary suppression.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from federation import field
from federation.comparison import argmax, negative
from federation.jobs.job import Job
from federation.runtime import Runtime, Shares

Result = dict[str, Any]
Left = dict[str, str]
DIGITS = 12
SUPPRESSED = -(2**62)  # no count, exact or noisy


async def large_enough(rt: Runtime, counts: Shares, minimum: int) -> np.ndarray:
    """Which counts reach ``minimum``: all that is learnt of the others. Counts must be below 2^24."""
    if minimum <= 1:
        return np.ones(counts.shape, dtype=bool)
    small = await negative(rt, rt.subtract(counts, rt.public(minimum, counts.shape)))
    return await rt.open(small) == 0


async def opened_counts(rt: Runtime, counts: Shares, minimum: int) -> np.ndarray:
    """Counts, and ``SUPPRESSED`` in place of those below ``minimum``."""
    keep = await large_enough(rt, counts, minimum)
    return await opened_where(rt, counts, keep)


async def opened_with_totals(rt: Runtime, tables: Sequence[Shares], minimum: int) -> list[np.ndarray]:
    """Counts of tables whose totals may be known.

    If a table's suppressed cells are fewer than ``minimum`` patients together, which the total would tell, the smallest of
    its others is suppressed too.
    """
    flat = [table.ravel() for table in tables]
    ends = np.cumsum([len(table) for table in flat])[:-1]
    keep = np.split(await large_enough(rt, np.concatenate(flat), minimum), ends)
    hidden = np.array([_sum(table[~kept]) for table, kept in zip(flat, keep, strict=True)])
    mixed = [i for i, kept in enumerate(keep) if kept.any() and not kept.all()]
    enough = await large_enough(rt, hidden[mixed], minimum) if mixed else []
    for i, safe in zip(mixed, enough, strict=True):
        if not safe:
            kept = np.flatnonzero(keep[i])
            keep[i][kept[await argmax(rt, field.negate(flat[i][kept]))]] = False
    opened = np.split(await opened_where(rt, np.concatenate(flat), np.concatenate(keep)), ends)
    return [part.reshape(table.shape) for part, table in zip(opened, tables, strict=True)]


async def opened_where(rt: Runtime, figures: Shares, keep: np.ndarray) -> np.ndarray:
    """Whole numbers where ``keep`` is true, ``SUPPRESSED`` elsewhere: those shares are never sent."""
    found = np.full(figures.shape, SUPPRESSED, dtype=np.int64)
    if keep.any():
        found[keep] = await rt.open(figures[keep])
    return found


def _sum(shares: Shares) -> np.uint64:
    return field.matmul(np.ones((1, len(shares)), np.uint64), shares[:, None])[0, 0]


def listed(counts: np.ndarray) -> Any:
    """Nested lists with ``None`` for what was suppressed."""
    if counts.ndim == 0:
        return None if counts == SUPPRESSED else int(counts)
    return [listed(row) for row in counts]


def left_out(what: str, job: Job) -> Left:
    """Why something is not in the result: too few patients."""
    return {"what": what, "why": f"fewer than {job.minimum_count} patients"}


def cells_left_out(counts: np.ndarray, what: str, job: Job) -> list[Left]:
    """One note on all suppressed cells of a table."""
    hidden = int((counts == SUPPRESSED).sum())
    return [left_out(f"{hidden} of {counts.size} {what}", job)] if hidden else []


def answer(job: Job, suppressed: Sequence[Left], figures: Mapping[str, Any]) -> Result:
    """A result as plain JSON values, with what was left out and why."""
    whole = {
        "kind": job.kind, "dataset": job.dataset, "parties": len(job.participants), "minimum_count": job.minimum_count,
        **figures, "suppressed": list(suppressed),
    }  # fmt: skip
    return _rounded(whole)


def _rounded(value: Any) -> Any:
    """Without the last digits, in which processors differ: all parties must tell the same result."""
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
