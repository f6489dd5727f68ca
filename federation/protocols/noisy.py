"""Tables on shares, opened: exactly and without small counts, or with noise that no party knows.

Belongs here: the one way in which tables leave the protocol. Does not belong here: drawing the noise (``noise``).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.contributions import bounded_sum
from federation.protocols.suppression import opened_counts
from federation.runtime import Runtime, Shares
from records.errors import ParameterError


class Opened(NamedTuple):
    """Tables with suppressed counts marked, and what their noise was; ``None`` without noise."""

    tables: list[np.ndarray]
    privacy: dict[str, Any] | None


async def opened_tables(rt: Runtime, job: Job, steps: Steps, own: Sequence[np.ndarray]) -> Opened:
    """Sums of all parties' tables. With the job's parameter ``bound`` each party's part is proved to be within it."""
    bound = job.parameters.get("bound")
    shares = []
    for table in own:
        if bound is None:
            shares.append(await rt.input_sum(table, table.shape))
        elif isinstance(bound, int) and not isinstance(bound, bool):
            steps.tell("proofs of each party's contribution")
            shares.append(await bounded_sum(rt, table, bound=bound))
        else:
            raise ParameterError(f"bound must be the most patients of a party, got {bound}; choose for instance 100000")
    return await opened_shares(rt, job, steps, shares)


async def opened_shares(rt: Runtime, job: Job, steps: Steps, tables: Sequence[Shares]) -> Opened:
    """Tables of which one patient changes one cell by one each."""
    flat = np.concatenate([table.ravel() for table in tables])
    steps.tell(f"opening {flat.size} cells")
    counts = await opened_counts(rt, flat, job.minimum_count)
    return Opened(_cut(counts, tables), None)


def _cut(flat: np.ndarray, tables: Sequence[Shares]) -> list[np.ndarray]:
    ends = np.cumsum([table.size for table in tables])[:-1]
    return [part.reshape(table.shape) for part, table in zip(np.split(flat, ends), tables, strict=True)]
