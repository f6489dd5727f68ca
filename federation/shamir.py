"""Shamir's secret sharing over the field, for whole arrays.

Belongs here: polynomials through points, so shares and their combination. Party ``i`` holds the value at ``i + 1``; the
secret is the value at 0. Does not belong here: where randomness comes from (``prg``) or who sends what (``runtime``).

References
----------
Shamir, 1979, How to share a secret, Communications of the ACM 22:612.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from federation import field

SECRET = 0


def point(party: int) -> int:
    """Where the polynomial's value is a party's share."""
    return party + 1


@lru_cache(maxsize=4096)
def lagrange(nodes: tuple[int, ...], target: int) -> tuple[int, ...]:
    """Weights by which values at ``nodes`` give the value at ``target`` of the lowest polynomial through them."""
    weights = []
    for node in nodes:
        above = below = 1
        for other in nodes:
            if other != node:
                above = above * (target - other) % field.P
                below = below * (node - other) % field.P
        weights.append(above * pow(below, -1, field.P) % field.P)
    return tuple(weights)


def shares_of(parties: Sequence[int], secret: np.ndarray, drawn: Sequence[tuple[int, np.ndarray]]) -> list[np.ndarray]:
    """The shares of ``parties``, given the shares that were drawn at random for as many others as the degree.

    Parameters
    ----------
    drawn : sequence of (party, share)
        Uniform and independent; with the secret they fix the polynomial.
    """
    nodes = (SECRET, *(point(other) for other, _ in drawn))
    weights = [lagrange(nodes, point(party)) for party in parties]
    return field.combinations([secret, *(share for _, share in drawn)], weights)


def reconstructed(shares: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
    """The secret from (party, share) of one more party than the degree."""
    nodes = tuple(point(party) for party, _ in shares)
    return field.combinations([share for _, share in shares], [lagrange(nodes, SECRET)])[0]
