"""Bounds on what each party puts into a table, shown inside the protocol, naming the party that breaks them.

Belongs here: a proof that a party's cells are whole numbers from 0, add up to its number of patients, and that this is
at most the declared bound; so no cell exceeds the party's own number of patients. Does not belong here: whether the
patients exist. A party can lie within the bounds, as it can about its own files.

Each owner shares the bits of its cells, of its number of patients, and of how far that is below the bound. That all are
bits is shown by one opened random combination of ``b (b - 1)``: it is 0 if they are, and else with probability 2^-61.
Covered: any values that a party puts in. Not covered: a party that departs from the protocol after that.

References
----------
Corrigan-Gibbs and Boneh (2017), Prio: private, robust, and scalable computation of aggregate statistics.
"""

import numpy as np

from federation import field
from federation.errors import GarbledError
from federation.runtime import Runtime, Shares
from records.errors import ParameterError

BROKEN = "a contribution outside its bounds"


async def bounded_sum(rt: Runtime, cells: np.ndarray, *, bound: int) -> Shares:
    """Shares of the sum of all parties' ``cells``, each proved to be a table of at most ``bound`` patients.

    Raises
    ------
    GarbledError
        At all parties, naming the one whose contribution is out of bounds.
    ParameterError
        At this party, before it shares: it has more patients than the bound.
    """
    if not 1 <= bound < 2**24:
        raise ParameterError(f"the bound of patients must lie between 1 and {2**24 - 1}, got {bound}; choose another")
    if int(cells.sum()) > bound:
        raise ParameterError(f"a party must have at most {bound} patients for this job, got more here; raise the bound")
    total = np.zeros(cells.shape, dtype=np.uint64)
    for owner in range(rt.parties):
        total = rt.add(total, await _proved(rt, owner, cells, bound))
    return total


async def _proved(rt: Runtime, owner: int, cells: np.ndarray, bound: int) -> Shares:
    width = bound.bit_length()
    size = cells.size
    shape = (size + 2, width)
    bits = await rt.input(owner, _bits(cells, bound, width) if owner == rt.index else None, shape)
    powers = np.array([[1 << i] for i in range(width)], dtype=np.uint64)
    numbers = field.matmul(bits, powers)[:, 0]
    values, rows, left = numbers[:size], numbers[size : size + 1], numbers[size + 1 :]
    off = [rt.subtract(_summed(values), rows), rt.subtract(rt.add(rows, left), rt.public(bound, (1,)))]
    if (await rt.open_elements(np.concatenate([*off, await _combined(rt, bits)]))).any():
        raise GarbledError(owner, BROKEN)
    return values.reshape(cells.shape)


async def _combined(rt: Runtime, bits: Shares) -> Shares:
    """A random combination of b (b - 1), drawn after the bits were shared."""
    weights = await rt.open_elements(await rt.random(bits.shape))
    odd = rt.subtract(await rt.multiply(bits, bits), bits)
    return _summed(field.multiply(odd, weights).ravel())


def _bits(cells: np.ndarray, bound: int, width: int) -> np.ndarray:
    rows = int(cells.sum())
    numbers = np.array([*cells.ravel().tolist(), rows, bound - rows], dtype=np.int64)
    return (numbers[:, None] >> np.arange(width)) & 1


def _summed(elements: Shares) -> Shares:
    """Sum of field elements, shape (1,)."""
    return field.matmul(np.ones((1, len(elements)), dtype=np.uint64), elements[:, None])[:, 0]
