"""What is timed: programs that run at all parties over generated numbers.

Belongs here: a party's numbers, the program on shares, the check of its result; only the program is timed. Does not
belong here: processes and connections (``network``).
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.federation import regression
from federation.comparison import absolute
from federation.noise import Drawers, gaussian_part
from federation.runtime import Runtime

COLUMNS, LEVELS, SIGMA = 20, 10, 100.0
PAIRS = [(i, j) for j in range(COLUMNS) for i in range(j)]
COMPARED_AT_ONCE = 1 << 14


class Program(NamedTuple):
    """``own`` makes a party's data from its number and the size; ``right`` checks what all learn."""

    own: Callable[[int, int], Any]
    run: Callable[[Runtime, Any], Awaitable[np.ndarray]]
    right: Callable[[np.ndarray, int, int], bool]


def _numbers(index: int, size: int) -> np.ndarray:
    """Their sum over parties is known without another party's."""
    return (np.arange(size) % 2001 - 1000) * (index + 1)


def _sums(parties: int, size: int) -> np.ndarray:
    return _numbers(0, size) * (parties * (parties + 1) // 2)


async def _sum(rt: Runtime, own: np.ndarray) -> np.ndarray:
    return await rt.open(await rt.input_sum(own, own.shape))


async def _product(rt: Runtime, own: np.ndarray) -> np.ndarray:
    total = await rt.input_sum(own, own.shape)
    return await rt.open(await rt.multiply(total, total))


async def _absolute(rt: Runtime, own: np.ndarray) -> np.ndarray:
    total = await rt.input_sum(own, own.shape)
    parts = np.split(total, range(COMPARED_AT_ONCE, total.size, COMPARED_AT_ONCE))
    return await rt.open(np.concatenate([await absolute(rt, part) for part in parts]))


def _patients(index: int, rows: int) -> np.ndarray:
    return np.random.default_rng(index).integers(LEVELS, size=(COLUMNS, rows))


def _pairs_counted(table: np.ndarray) -> np.ndarray:
    return np.concatenate([np.bincount(LEVELS * table[i] + table[j], minlength=LEVELS**2) for i, j in PAIRS])


async def _marginals(rt: Runtime, own: np.ndarray) -> np.ndarray:
    counts = _pairs_counted(own)
    return await rt.open(await rt.input_sum(counts, counts.shape), survive=True)


async def _noisy_marginals(rt: Runtime, own: np.ndarray) -> np.ndarray:
    counts = _pairs_counted(own)
    noise = gaussian_part(counts.shape, SIGMA, Drawers(rt.parties, rt.degree))
    return await rt.open(await rt.input_sum(counts + noise, counts.shape), survive=True)


def _counts(parties: int, rows: int) -> np.ndarray:
    return _pairs_counted(np.concatenate([_patients(i, rows) for i in range(parties)], axis=1))


def _regression(kind: str) -> Program:
    return Program(
        regression.site,
        lambda rt, own: regression.fitted(rt, own, kind),
        lambda got, parties, rows: regression.right(kind, got, parties, rows),
    )


PROGRAMS = {
    "sum": Program(_numbers, _sum, lambda got, parties, size: bool((got == _sums(parties, size)).all())),
    "product": Program(_numbers, _product, lambda got, parties, size: bool((got == _sums(parties, size) ** 2).all())),
    "absolute": Program(_numbers, _absolute, lambda got, parties, size: bool((got == abs(_sums(parties, size))).all())),
    "marginals": Program(_patients, _marginals, lambda got, parties, rows: bool((got == _counts(parties, rows)).all())),
    "noisy marginals": Program(
        _patients, _noisy_marginals,
        lambda got, parties, rows: bool(0.5 < np.std(got - _counts(parties, rows)) / SIGMA < 2),
    ),
    "logistic": _regression("logistic"),
    "cox": _regression("cox"),
}  # fmt: skip
