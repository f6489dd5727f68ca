"""Comparisons of shared numbers: sign, order, absolute value and the position of the largest.

Belongs here: what needs bits. Does not belong here: sums and products (``runtime``) or noise (``noise``).

A number is negative if twice its field element wraps round the odd prime, so if the last bit of that is 1. The bit is
read off a sum with a uniform number whose bits are shared (Nishide and Ohta, 2007): the opened sum is uniform whatever
the number is, so nothing leaks but with a chance of 2^-61, that the random bits are all ones. Numbers may have any size
below 2^60.

References
----------
Nishide and Ohta, 2007, Multiparty computation for interval, equality, and comparison without bit-decomposition protocol.
Damgard, Fitzi, Kiltz, Nielsen and Toft, 2006, Unconditionally secure constant-rounds multi-party computation.
"""

import os

import numpy as np

from federation import field
from federation.runtime import Runtime, Shares


async def random_bits(rt: Runtime, shape: tuple[int, ...]) -> Shares:
    """Shares of independent fair bits that nobody knows: exclusive or of one more party's bits than may collude."""
    drawn = np.frombuffer(os.urandom(int(np.prod(shape))), np.uint8).reshape(shape) & 1
    bits = await rt.input(0, drawn.astype(np.int64), shape)
    for dealer in range(1, rt.degree + 1):
        other = await rt.input(dealer, drawn.astype(np.int64), shape)
        bits = rt.subtract(rt.add(bits, other), rt.scale(await rt.multiply(bits, other), 2))
    return bits


async def negative(rt: Runtime, x: Shares) -> Shares:
    """Shares of 1 where the number is below 0, else 0."""
    bits = await random_bits(rt, (field.BITS, *x.shape))
    mask = bits[0]
    for position in range(1, field.BITS):
        mask = rt.add(mask, rt.scale(bits[position], 1 << position))
    opened = await rt.open_elements(rt.add(rt.scale(x, 2), mask))
    wrapped = await _below(rt, opened, bits)
    last = _xor_public(rt, bits[0], (opened & np.uint64(1)).astype(bool))
    both = await rt.multiply(last, wrapped)
    return rt.subtract(rt.add(last, wrapped), rt.scale(both, 2))


async def less(rt: Runtime, a: Shares, b: Shares) -> Shares:
    """Shares of 1 where ``a < b``."""
    return await negative(rt, rt.subtract(a, b))


async def at_least(rt: Runtime, x: Shares, bound: int) -> Shares:
    """Shares of 1 where ``x >= bound``, a public number."""
    below = await negative(rt, rt.subtract(x, rt.public(bound, x.shape)))
    return rt.subtract(rt.public(1, x.shape), below)


async def absolute(rt: Runtime, x: Shares) -> Shares:
    """Shares of the absolute value."""
    sign = rt.subtract(rt.public(1, x.shape), rt.scale(await negative(rt, x), 2))
    return await rt.multiply(x, sign)


async def argmax(rt: Runtime, scores: Shares) -> int:
    """Position of the largest score; nothing else is opened. Which of equal ones wins is fixed by their positions.

    Parameters
    ----------
    scores : shares of shape (candidates,)
    """
    rows = np.stack([scores, rt.public(np.arange(scores.size))])
    while (pairs := rows.shape[1] // 2) > 0:
        left, right, rest = rows[:, :pairs], rows[:, pairs : 2 * pairs], rows[:, 2 * pairs :]
        later = await less(rt, left[0], right[0])
        step = await rt.multiply(np.stack([later, later]), rt.subtract(right, left))
        rows = np.concatenate([rt.add(left, step), rest], axis=1)
    return int((await rt.open(rows[1]))[0])


async def _below(rt: Runtime, public: np.ndarray, bits: Shares) -> Shares:
    """Shares of 1 where the public number is below the one that the bits (lowest first) spell."""
    known = (public[None] >> np.arange(len(bits), dtype=np.uint64).reshape(-1, *([1] * public.ndim))) & np.uint64(1)
    larger = np.where(known == 1, np.uint64(0), bits)
    equal = np.where(known == 1, bits, rt.subtract(rt.public(1, bits.shape), bits))
    while len(larger) > 1:
        odd = len(larger) % 2
        low, high = slice(odd, None, 2), slice(odd + 1, None, 2)
        product = await rt.multiply(np.stack([equal[high], equal[high]]), np.stack([larger[low], equal[low]]))
        # The lowest bit waits where the number of bits is odd.
        larger = np.concatenate([larger[:odd], rt.add(larger[high], product[0])])
        equal = np.concatenate([equal[:odd], product[1]])
    return larger[0]


def _xor_public(rt: Runtime, bit: Shares, known: np.ndarray) -> Shares:
    return np.where(known, rt.subtract(rt.public(1, bit.shape), bit), bit)
