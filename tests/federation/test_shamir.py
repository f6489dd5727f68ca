"""Shares are linear, any ``t + 1`` of them give the secret, and ``t`` of them say nothing."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from federation import field, shamir
from federation.prg import Prg

elements = st.integers(0, field.P - 1)


def shares(secret: np.ndarray, parties: int, degree: int, prg: Prg | None = None) -> list[tuple[int, np.ndarray]]:
    prg = prg or Prg()
    drawn = [(party, prg.draw(secret.shape)) for party in range(degree)]
    return [*drawn, *zip(range(degree, parties), shamir.shares_of(range(degree, parties), secret, drawn), strict=True)]


@given(st.lists(elements, min_size=1, max_size=5), st.integers(1, 4), st.integers(0, 3))
def test_any_of_one_more_than_the_degree(values: list[int], degree: int, more: int) -> None:
    secret = np.array(values, np.uint64)
    dealt = shares(secret, 2 * degree + 1 + more, degree)
    for chosen in list(combinations(dealt, degree + 1))[:40]:
        assert (shamir.reconstructed(chosen) == secret).all()


@given(elements, elements, elements)
def test_linear(a: int, b: int, factor: int) -> None:
    first, second = (shares(np.array([x], np.uint64), 5, 2) for x in (a, b))
    mixed = [(i, field.add(field.scale(x, factor), y)) for (i, x), (_, y) in zip(first, second, strict=True)]
    assert shamir.reconstructed(mixed[2:]).tolist() == [(a * factor + b) % field.P]


def test_products_have_twice_the_degree() -> None:
    a, b = np.array([3, field.P - 5], np.uint64), np.array([7, 11], np.uint64)
    product = [(i, field.multiply(x, y)) for (i, x), (_, y) in zip(shares(a, 5, 2), shares(b, 5, 2), strict=True)]
    assert (shamir.reconstructed(product) == field.multiply(a, b)).all()
    assert (shamir.reconstructed(product[:4]) != field.multiply(a, b)).all()


@pytest.mark.parametrize("secret", [0, 1, field.P - 1])
def test_as_many_as_the_degree_say_nothing(secret: int) -> None:
    """Joint distribution of two shares of degree 2 in 8 x 8 cells; fails wrongly in 1 of 1,000 runs per pair and seed."""
    dealt = dict(shares(np.full(50_000, secret, np.uint64), 5, 2, Prg(b"s" * 32)))
    for i, j in combinations(range(5), 2):
        cells = 8 * (dealt[i] >> np.uint64(58)) + (dealt[j] >> np.uint64(58))
        assert chisquare(np.bincount(cells.astype(int), minlength=64)).pvalue > 1e-4


def test_one_more_than_the_degree_says_all() -> None:
    """The former test would see a degree that is too low."""
    dealt = dict(shares(np.zeros(50_000, np.uint64), 5, 1, Prg(b"s" * 32)))
    cells = 8 * (dealt[1] >> np.uint64(58)) + (dealt[2] >> np.uint64(58))
    assert chisquare(np.bincount(cells.astype(int), minlength=64)).pvalue < 1e-12
