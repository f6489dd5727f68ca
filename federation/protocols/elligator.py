"""Hashing of identifiers to Curve25519 (suite ``curve25519_XMD:SHA-512_ELL2_RO_``).

Belongs here: a text becomes a point of the prime-order group whose logarithm nobody knows, so that a secret scalar hides
it. Does not belong here: the secret scalars (``intersection``). Runs in variable time on texts that only their owner has.

References
----------
RFC 9380: Hashing to Elliptic Curves, sections 5.2 (hash_to_field), 5.3.1 (expand_message_xmd), 6.7.1 (Elligator 2).
Bernstein, Hamburg, Krasnova and Lange (2013): Elligator: elliptic-curve points indistinguishable from uniform random
strings.
"""

import hashlib

PRIME = 2**255 - 19
A = 486662
Z = 2
_FIELD_BYTES, _BLOCK, _DIGEST = 48, 128, 64
_ROOT_OF_MINUS_ONE = pow(2, (PRIME - 1) // 4, PRIME)
_ROOT_POWER_OF_Z = pow(Z, (PRIME + 3) // 8, PRIME)
Point = tuple[int, int]


def hash_to_curve(message: bytes, domain: bytes) -> Point:
    """Montgomery coordinates of the point for ``message``; ``domain`` keeps uses apart."""
    first, second = (map_to_curve(u) for u in _hash_to_field(message, domain))
    point = _added(first, second)
    for _ in range(3):  # cofactor 8
        point = _added(point, point)
    if point is None:
        raise ArithmeticError("hashed to the neutral element")  # happens with probability 2**-252
    return point


def map_to_curve(u: int) -> Point:
    """Elligator 2: a point of the curve for each element of the field."""
    square = Z * u * u % PRIME
    x = -A * pow(1 + square, -1, PRIME) % PRIME if (1 + square) % PRIME else -A % PRIME
    right = _right_side(x)
    root = pow(right, (PRIME + 3) // 8, PRIME)
    y, odd = _fitting(root, right), 1
    if y is None:
        # The right side at -x - A is Z u^2 times the one at x, and so is its root found from the same power.
        x = (-x - A) % PRIME
        y, odd = _fitting(root * u * _ROOT_POWER_OF_Z, square * right % PRIME), 0
    assert y is not None
    return x, y if y % 2 == odd else PRIME - y


def on_curve(point: Point) -> bool:
    """Whether ``point`` fulfils y^2 = x^3 + 486662 x^2 + x."""
    return point[1] * point[1] % PRIME == _right_side(point[0])


def expand_message(message: bytes, domain: bytes, length: int) -> bytes:
    """``expand_message_xmd`` with SHA-512."""
    tail = domain + bytes([len(domain)])
    start = hashlib.sha512(bytes(_BLOCK) + message + length.to_bytes(2, "big") + b"\0" + tail).digest()
    block, out = bytes(_DIGEST), b""
    for number in range(1, -(-length // _DIGEST) + 1):
        mixed = bytes(a ^ b for a, b in zip(start, block, strict=True))
        block = hashlib.sha512(mixed + bytes([number]) + tail).digest()
        out += block
    return out[:length]


def _hash_to_field(message: bytes, domain: bytes) -> list[int]:
    expanded = expand_message(message, domain, 2 * _FIELD_BYTES)
    halves = expanded[:_FIELD_BYTES], expanded[_FIELD_BYTES:]
    return [int.from_bytes(half, "big") % PRIME for half in halves]


def _right_side(x: int) -> int:
    return x * (x * (x + A) + 1) % PRIME


def _fitting(root: int, value: int) -> int | None:
    """The square root of ``value`` that ``root`` is but for a fourth root of unity, or ``None``."""
    for candidate in (root % PRIME, root * _ROOT_OF_MINUS_ONE % PRIME):
        if candidate * candidate % PRIME == value:
            return candidate
    return None


def _added(left: Point | None, right: Point | None) -> Point | None:
    """Sum of two points; ``None`` is the neutral element."""
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2:
        if (y1 + y2) % PRIME == 0:
            return None
        slope = (3 * x1 * x1 + 2 * A * x1 + 1) * pow(2 * y1, -1, PRIME) % PRIME
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, PRIME) % PRIME
    x = (slope * slope - A - x1 - x2) % PRIME
    return x, (slope * (x1 - x) - y1) % PRIME
