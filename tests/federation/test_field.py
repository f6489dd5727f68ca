"""The field's laws against Python's own integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import field
from federation.field import P

EDGES = [0, 1, 2, (1 << 30) - 1, 1 << 30, (1 << 31) - 1, 1 << 31, 1 << 60, P - 2, P - 1]
elements = st.one_of(st.sampled_from(EDGES), st.integers(0, P - 1))
vectors = st.lists(elements, min_size=1, max_size=20)


def array(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def whole(values: np.ndarray) -> list[int]:
    assert values.dtype == np.uint64
    return [int(value) for value in values.ravel()]


@given(vectors, elements)
def test_sums_and_products(values: list[int], other: int) -> None:
    a, b = array(values), array([other] * len(values))
    assert whole(field.add(a, b)) == [(x + other) % P for x in values]
    assert whole(field.subtract(a, b)) == [(x - other) % P for x in values]
    assert whole(field.negate(a)) == [-x % P for x in values]
    assert whole(field.multiply(a, b)) == [x * other % P for x in values]


def test_every_pair_of_edges() -> None:
    a, b = map(np.ravel, np.meshgrid(array(EDGES), array(EDGES)))
    assert whole(field.multiply(a, b)) == [int(x) * int(y) % P for x, y in zip(a, b, strict=True)]


@given(vectors, st.integers(-(1 << 70), 1 << 70))
def test_public_factors_of_any_size(values: list[int], factor: int) -> None:
    assert whole(field.scale(array(values), factor)) == [x * factor % P for x in values]


def test_long_arrays_keep_their_shape_and_broadcast() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(P, size=(3, 20_000), dtype=np.uint64), rng.integers(P, size=20_000, dtype=np.uint64)
    product = field.multiply(a, b)
    assert product.shape == a.shape
    for row, column in [(0, 0), (1, 16_384), (2, 19_999)]:
        assert int(product[row, column]) == int(a[row, column]) * int(b[column]) % P
    assert (field.scale(a, 5)[2] == field.multiply(a[2], array([5]))).all()


@given(st.lists(st.tuples(elements, st.integers(-(1 << 62), 1 << 62)), min_size=1, max_size=20))
def test_weighted_sums(terms: list[tuple[int, int]]) -> None:
    values, weights = zip(*terms, strict=True)
    one, other = field.combinations([array([value, 1]) for value in values], [weights, [-w for w in weights]])
    expected = sum(value * weight for value, weight in terms)
    assert whole(one) == [expected % P, sum(weights) % P]
    assert whole(other) == [-expected % P, -sum(weights) % P]


def test_weighted_sums_of_the_largest() -> None:
    values = [np.full((2, 20_000), P - 1, np.uint64)] * 9
    (result,) = field.combinations(values, [[P - 1] * 9])
    assert result.shape == (2, 20_000)
    assert (result == 9).all()
    assert (field.total(values) == P - 9).all()


@given(st.lists(st.integers(0, (1 << 64) - 1), min_size=1))
def test_words_become_elements(words: list[int]) -> None:
    assert whole(field.from_words(array(words))) == [(word & P) % P for word in words]


@given(elements.filter(bool))
def test_inverse_and_roots(value: int) -> None:
    a = array([value])
    assert whole(field.multiply(a, field.inverse(a))) == [1]
    square = field.multiply(a, a)
    assert whole(field.square_root(square))[0] in (value, P - value)


@pytest.mark.parametrize("exponent", [0, 1, 2, 61, P - 1])
def test_power(exponent: int) -> None:
    assert whole(field.power(array(EDGES), exponent)) == [pow(x, exponent, P) for x in EDGES]


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (3, 5, 2), (2, 4097, 3), (2, 0, 3)])
def test_matrix_products_also_of_the_largest_elements(m: int, k: int, n: int) -> None:
    rng = np.random.default_rng(2)
    for a, b in [
        (rng.integers(P, size=(m, k), dtype=np.uint64), rng.integers(P, size=(k, n), dtype=np.uint64)),
        (np.full((m, k), P - 1, np.uint64), np.full((k, n), P - 2, np.uint64)),
    ]:
        expected = (a.astype(object) @ b.astype(object)) % P if k else np.zeros((m, n), object)
        assert (field.matmul(a, b).astype(object) == expected).all()


@given(st.lists(vectors, min_size=1, max_size=5))
def test_sums_of_segments(parts: list[list[int]]) -> None:
    starts = np.cumsum([0, *map(len, parts[:-1])])
    assert whole(field.segment_sums(array([x for part in parts for x in part]), starts)) == [
        sum(part) % P for part in parts
    ]


@given(st.lists(st.integers(-(P // 2), P // 2), min_size=1))
def test_signed_numbers_go_round(values: list[int]) -> None:
    assert field.to_signed(field.from_signed(np.array(values, np.int64))).tolist() == values
