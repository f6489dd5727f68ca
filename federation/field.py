"""Arithmetic of the prime field of order 2^61 - 1, on whole numpy arrays.

Belongs here: the field. Elements are ``uint64`` in ``0 <= x < P``. Does not belong here: sharing (``shamir``).

2^61 = 1 in this field, so a product of 122 bits folds into 61 by shifts and additions, without division. Arrays are
worked off in blocks that stay in the processor's cache: whole passes over long arrays take several times as long.
"""

import functools
import operator
from collections.abc import Callable, Sequence

import numpy as np

BITS = 61
P = (1 << BITS) - 1
_P, _HALF = np.uint64(P), np.uint64(P // 2)
_LOW31, _LOW30 = np.uint64((1 << 31) - 1), np.uint64((1 << 30) - 1)
_31, _30, _61, _1 = np.uint64(31), np.uint64(30), np.uint64(61), np.uint64(1)
_BLOCK = 1 << 14
_AT_ONCE = 4  # products of halves that add up to less than 2^64
_LIMB, _LIMBS = 21, 3
_EXACT_ROWS = 1 << 11  # products of 42 bits that add up to less than 2^53, where doubles are exact

Array = np.ndarray


def add(a: Array, b: Array) -> Array:
    """Sum, element by element."""
    return _in_blocks(_sum, *np.broadcast_arrays(a, b))


def subtract(a: Array, b: Array) -> Array:
    """Difference, element by element."""
    return _in_blocks(_difference, *np.broadcast_arrays(a, b))


def negate(a: Array) -> Array:
    """Additive inverse."""
    return subtract(np.zeros_like(a), a)


def multiply(a: Array, b: Array) -> Array:
    """Product, element by element; shapes broadcast."""
    return _in_blocks(_product, *np.broadcast_arrays(np.asarray(a, np.uint64), np.asarray(b, np.uint64)))


def scale(a: Array, factor: int) -> Array:
    """Product with one public integer of any size and sign."""
    reduced = factor % P
    if reduced == 1:
        return a.copy()
    return _in_blocks(lambda block: _product(block, np.uint64(reduced)), np.asarray(a, np.uint64))


def total(arrays: Sequence[Array]) -> Array:
    """Sum of many arrays of one shape."""
    return _in_blocks(lambda *blocks: functools.reduce(_sum, blocks), *arrays)


def combinations(values: Sequence[Array], weights: Sequence[Sequence[int]]) -> list[Array]:
    """Weighted sums of arrays of one shape: one for each row of public weights."""
    flat = [np.ravel(value) for value in values]
    results = [np.empty(flat[0].size, dtype=np.uint64) for _ in weights]
    halves = [[_halves(weight % P) for weight in row] for row in weights]
    for start in range(0, flat[0].size, _BLOCK):
        block = slice(start, start + _BLOCK)
        parts = [(value[block] >> _31, value[block] & _LOW31) for value in flat]
        for result, row in zip(results, halves, strict=True):
            result[block] = _weighted(parts, row)
    return [result.reshape(values[0].shape) for result in results]


def matmul(a: Array, b: Array) -> Array:
    """Matrix product of shape (m, k) by (k, n), exactly, in floating-point multiplications of 21-bit limbs."""
    total = np.zeros((a.shape[0], b.shape[1]), dtype=np.uint64)
    for start in range(0, a.shape[1], _EXACT_ROWS):
        rows = slice(start, start + _EXACT_ROWS)
        left, right = _limbs(a[:, rows]), _limbs(b[rows])
        for i in range(_LIMBS):
            for j in range(_LIMBS):
                part = np.minimum(*_reduced((left[i] @ right[j]).astype(np.uint64)))
                total = add(total, scale(part, 1 << (_LIMB * (i + j))))
    return total


def segment_sums(a: Array, starts: Array) -> Array:
    """Sums of the parts of a flat array that begin at ``starts``, which rise."""
    low = np.add.reduceat(a & _LOW30, starts)
    high = np.add.reduceat(a >> _30, starts)
    return add(np.minimum(*_reduced(low)), scale(np.minimum(*_reduced(high)), 1 << 30))


def power(a: Array, exponent: int) -> Array:
    """``a ** exponent`` for ``exponent >= 0``, by squaring."""
    result, base = np.ones_like(a), a
    while exponent:
        if exponent & 1:
            result = multiply(result, base)
        base, exponent = multiply(base, base), exponent >> 1
    return result


def inverse(a: Array) -> Array:
    """Multiplicative inverse of non-zero elements (Fermat)."""
    return power(a, P - 2)


def square_root(a: Array) -> Array:
    """A square root of squares: as P = 3 mod 4, ``a ** ((P + 1) / 4)``, which is 2^59."""
    for _ in range(BITS - 2):
        a = multiply(a, a)
    return a


def from_words(words: Array) -> Array:
    """Elements from any 64-bit words: the lower 61 bits; uniform words give uniform elements but for 2^-61."""
    return _in_blocks(lambda block: np.minimum(block & _P, (block & _P) - _P), words)


def from_signed(values: Array) -> Array:
    """Field elements of whole numbers with ``|x| < P / 2``."""
    # As uint64, a negative number lies above all others, and adding P wraps it round to where it belongs.
    return _in_blocks(lambda block: np.minimum(block, block + _P), np.asarray(values, dtype=np.int64).view(np.uint64))


def to_signed(elements: Array) -> Array:
    """Whole numbers between ``-P / 2`` and ``P / 2``, as ``int64``."""
    return _in_blocks(lambda block: np.where(block > _HALF, block - _P, block), elements).view(np.int64)


def _reduced(total: Array) -> tuple[Array, Array]:
    folded = (total & _P) + (total >> _61)
    return folded, folded - _P


def _sum(a: Array, b: Array) -> Array:
    total = a + b
    return np.minimum(total, total - _P)


def _difference(a: Array, b: Array) -> Array:
    total = a - b
    return np.minimum(total, total + _P)


def _product(a: Array, b: Array | np.uint64) -> Array:
    a1, a0, b1, b0 = a >> _31, a & _LOW31, b >> _31, b & _LOW31
    return _folded(a1 * b1, a0 * b1 + a1 * b0, a0 * b0)


def _halves(weight: int) -> tuple[np.uint64, np.uint64]:
    return np.uint64(weight >> 31), np.uint64(weight & ((1 << 31) - 1))


def _weighted(parts: Sequence[tuple[Array, Array]], weights: Sequence[tuple[np.uint64, np.uint64]]) -> Array:
    """Sum of products of elements split in halves."""
    total = None
    for first in range(0, len(parts), _AT_ONCE):
        pairs = list(zip(parts, weights, strict=True))[first : first + _AT_ONCE]
        high, middle, low = (
            functools.reduce(operator.iadd, terms)
            for terms in zip(*((a1 * b1, a0 * b1 + a1 * b0, a0 * b0) for (a1, a0), (b1, b0) in pairs), strict=True)
        )
        part = _folded(high, middle, low)
        total = part if total is None else _sum(total, part)
    assert total is not None
    return total


def _folded(high: Array, middle: Array, low: Array) -> Array:
    """``high 2^62 + middle 2^31 + low``, for ``high`` below 2^62."""
    total = (high << _1) + (middle >> _30) + ((middle & _LOW30) << _31) + (low & _P) + (low >> _61)
    return np.minimum(*_reduced(total))


def _in_blocks(work: Callable[..., Array], *arrays: Array) -> Array:
    if arrays[0].size <= _BLOCK:
        return work(*arrays)
    flat = [np.ravel(array) for array in arrays]
    result = np.empty(flat[0].size, dtype=np.uint64)
    for start in range(0, result.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        result[block] = work(*(array[block] for array in flat))
    return result.reshape(arrays[0].shape)


def _limbs(a: Array) -> list[Array]:
    mask = np.uint64((1 << _LIMB) - 1)
    return [((a >> np.uint64(_LIMB * i)) & mask).astype(np.float64) for i in range(_LIMBS)]
