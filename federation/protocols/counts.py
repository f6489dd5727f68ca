"""Counts, histograms and contingency tables of all parties' patients.

Belongs here: cells by the codebook's levels, summed on shares, opened where large enough, or with noise drawn inside the
protocol. Does not belong here: tables of two holders of the same patients (``linkage``).
"""

from collections.abc import Sequence

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.noisy import opened_tables
from federation.protocols.patients import Patients, patients
from federation.protocols.suppression import Result, answer, cells_left_out, listed
from federation.runtime import Runtime
from federation.site import Site
from records.discretisation import encode, level_count, level_labels
from records.errors import ParameterError
from records.schema import Column

MOST_CELLS = 10_000_000


async def count(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Number of patients that fulfil the job's filters."""
    held = await patients(rt, site, job)
    opened = await opened_tables(rt, job, steps, [np.array([held.rows])])
    total = opened.tables[0]
    return answer(job, cells_left_out(total, "counts", job), {"patients": listed(total)[0], "privacy": opened.privacy})


async def histogram(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Number of patients at each level of each column."""
    held = await patients(rt, site, job)
    columns = _discrete(held, job, fewest=1)
    opened = await opened_tables(rt, job, steps, [table_of(held, [column]) for column in columns])
    found, notes = [], []
    for column, counts in zip(columns, opened.tables, strict=True):
        found.append({**_axis(column), "counts": listed(counts)})
        notes += cells_left_out(counts, f"levels of {column.name}", job)
    return answer(job, notes, {"columns": found, "privacy": opened.privacy})


async def contingency(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Number of patients at each combination of the columns' levels."""
    held = await patients(rt, site, job)
    columns = _discrete(held, job, fewest=2)
    opened = await opened_tables(rt, job, steps, [table_of(held, columns)])
    counts = opened.tables[0]
    figures = {"axes": [_axis(column) for column in columns], "counts": listed(counts), "privacy": opened.privacy}
    return answer(job, cells_left_out(counts, "cells", job), figures)


def table_of(held: Patients, columns: Sequence[Column]) -> np.ndarray:
    """This party's counts over the columns' levels."""
    shape = [level_count(column) for column in columns]
    codes = encode(held.table, columns)
    flat = np.ravel_multi_index(list(codes.T), shape) if len(codes) else np.zeros(0, np.int64)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)


def _discrete(held: Patients, job: Job, *, fewest: int) -> list[Column]:
    columns = [held.schema[name] for name in job.columns]
    if len(columns) < fewest:
        raise ParameterError(f"a {job.kind} must have at least {fewest} columns, got {len(columns)}; name more")
    if odd := [c.name for c in columns if not (c.levels or c.numeric)]:
        raise ParameterError(f"columns must hold levels or numbers, got {', '.join(odd)}; leave them out")
    sizes = [level_count(column) for column in columns]
    cells = sum(sizes) if fewest == 1 else int(np.prod(np.array(sizes, dtype=object)))
    if cells > MOST_CELLS:
        raise ParameterError(f"a table must have at most {MOST_CELLS} cells, got {cells}; ask for fewer columns")
    return columns


def _axis(column: Column) -> dict[str, object]:
    return {"column": column.name, "levels": level_labels(column)}
