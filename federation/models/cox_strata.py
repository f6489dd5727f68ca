"""One site's part of the partial likelihood that is stratified by site, with Efron's ties.

Belongs here: local arithmetic on a site's own patients. Does not belong here: sums over sites (``newton``).

References
----------
Efron (1977), Journal of the American Statistical Association 72:557.
"""

import numpy as np

from federation.models.newton import Part


def part_of(times: np.ndarray, events: np.ndarray, rows: np.ndarray, beta: np.ndarray) -> Part:
    """Log partial likelihood, gradient and negative Hessian.

    Parameters
    ----------
    times : numpy.ndarray, shape (patients,)
    events : numpy.ndarray of bool, shape (patients,)
    rows : numpy.ndarray of float, shape (patients, columns)
    """
    size = rows.shape[1]
    order = np.argsort(-times, kind="stable")
    times, events, rows = times[order], events[order], rows[order]
    linear = rows @ beta
    middle = float(linear.max()) if len(linear) else 0.0
    risk = np.exp(linear - middle)
    value, gradient, curvature = 0.0, np.zeros(size), np.zeros((size, size))
    zero, first, second = 0.0, np.zeros(size), np.zeros((size, size))
    for start, stop in _runs(times):
        at = slice(start, stop)
        zero, first = zero + risk[at].sum(), first + risk[at] @ rows[at]
        second = second + (rows[at] * risk[at, None]).T @ rows[at]
        died = np.flatnonzero(events[at]) + start
        if not len(died):
            continue
        tied = risk[died].sum(), risk[died] @ rows[died], (rows[died] * risk[died, None]).T @ rows[died]
        value += float(linear[died].sum()) - len(died) * middle
        gradient = gradient + rows[died].sum(axis=0)
        for share in np.arange(len(died)) / len(died):
            total = zero - share * tied[0]
            mean = (first - share * tied[1]) / total
            value -= float(np.log(total))
            gradient = gradient - mean
            curvature = curvature + (second - share * tied[2]) / total - np.outer(mean, mean)
    return Part(value, gradient, curvature)


def _runs(times: np.ndarray) -> list[tuple[int, int]]:
    """Where equal times begin and end."""
    if not len(times):
        return []
    changes = np.flatnonzero(np.diff(times)) + 1
    edges = [0, *changes.tolist(), len(times)]
    return list(zip(edges[:-1], edges[1:], strict=True))
