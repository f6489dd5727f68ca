"""Means, variances and correlations, exactly as from pooled patients.

Belongs here: sums and sums of products of scaled integers. What is opened are the figures of the result: the number of
patients (if large enough), sums and sums of products. Does not belong here: medians (``quantiles``).
"""

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.patients import Patients, patients
from federation.protocols.scaling import Scale
from federation.protocols.suppression import SUPPRESSED, Left, Result, answer, left_out, opened_counts, opened_where
from federation.runtime import Runtime
from federation.site import Site
from records.discretisation import encode_column, level_count, level_labels
from records.errors import ParameterError
from records.schema import Column, Kind

FEWEST = 2  # patients of a variance


async def moments(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Number of known values, mean, variance and standard deviation of each column.

    Parameters ``by``: a category of the job's columns, at whose levels the figures are given.
    """
    held = await patients(rt, site, job)
    by = _grouping(held, job)
    scales = [Scale.for_products(held.schema[name]) for name in job.columns if by is None or name != by.name]
    groups = ["all"] if by is None else level_labels(by)
    own = _sums(held, scales, by, len(groups))
    shares = await rt.input_sum(own, own.shape)
    counts = await opened_counts(rt, shares[0], max(job.minimum_count, FEWEST))
    sums, squares = await opened_where(rt, shares[1:], np.stack([counts != SUPPRESSED] * 2))
    found, notes = [], []
    for g, group in enumerate(groups):
        for c, scale in enumerate(scales):
            found.append({"group": group, **_figures(scale, int(counts[g, c]), int(sums[g, c]), int(squares[g, c]))})
            notes += [left_out(f"{scale.name} of {group}", job)] if counts[g, c] == SUPPRESSED else []
    return answer(job, notes, {"by": by.name if by else None, "columns": found})


async def correlation(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Pearson's correlations of the columns over patients whose columns are all known."""
    held = await patients(rt, site, job)
    scales = [Scale.for_products(held.schema[name]) for name in job.columns]
    if len(scales) < 2:
        raise ParameterError(f"a correlation must have at least 2 columns, got {len(scales)}; name more")
    known = held.table.drop_nulls()
    values = np.stack([np.ones(known.height, np.int64), *(s.integers(known[s.name]) for s in scales)], axis=1)
    shares = await rt.input_sum(values.T @ values, (len(scales) + 1,) * 2)
    total = await opened_counts(rt, shares[:1, 0], max(job.minimum_count, FEWEST))
    names = [scale.name for scale in scales]
    if total[0] == SUPPRESSED:
        return answer(
            job, [left_out("all correlations", job)], {"columns": names, "patients": None, "correlation": None}
        )
    products = await rt.open(shares)
    matrix = _correlations([[int(x) for x in row] for row in products])
    return answer(job, _constant(names, matrix), {"columns": names, "patients": int(total[0]), "correlation": matrix})


def _grouping(held: Patients, job: Job) -> Column | None:
    name = job.parameters.get("by")
    if name is None:
        return None
    if name not in job.columns or held.schema[str(name)].kind is not Kind.CATEGORY:
        raise ParameterError(f"by must be a category among the job's columns, got {name}; add it to columns")
    return held.schema[str(name)]


def _sums(held: Patients, scales: list[Scale], by: Column | None, groups: int) -> np.ndarray:
    """Number, sum and sum of squares, shape (3, groups, columns)."""
    codes = np.zeros(held.table.height, np.int64) if by is None else encode_column(held.table[by.name], by)
    assert by is None or groups == level_count(by)
    found = np.zeros((3, groups, len(scales)), dtype=np.int64)
    for c, scale in enumerate(scales):
        series = held.table[scale.name]
        known = series.is_not_null().to_numpy()
        values = scale.integers(series.drop_nulls())
        for power in range(3):
            np.add.at(found[power, :, c], codes[known], values**power)
    return found


def _figures(scale: Scale, count: int, total: int, squares: int) -> dict[str, object]:
    """In whole numbers until the last division, so that nothing cancels."""
    if count == SUPPRESSED:
        return {"column": scale.name, "count": None, "mean": None, "variance": None, "sd": None}
    variance = scale.step**2 * (count * squares - total**2) / (count * (count - 1))
    mean = scale.minimum + scale.step * total / count
    return {"column": scale.name, "count": count, "mean": mean, "variance": variance, "sd": variance**0.5}


def _correlations(p: list[list[int]]) -> list[list[float | None]]:
    n, size = p[0][0], range(1, len(p))
    covariance = {(i, j): n * p[i][j] - p[0][i] * p[0][j] for i in size for j in size}
    spread = {i: covariance[i, i] ** 0.5 for i in size}
    return [[covariance[i, j] / (spread[i] * spread[j]) if spread[i] * spread[j] else None for j in size] for i in size]


def _constant(names: list[str], matrix: list[list[float | None]]) -> list[Left]:
    return [
        {"what": name, "why": "all patients have one value"} for i, name in enumerate(names) if matrix[i][i] is None
    ]
