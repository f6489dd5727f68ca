"""Signs, orders and the largest against plain numbers, over all sizes the field holds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from federation import field
from federation.comparison import absolute, argmax, at_least, less, negative, random_bits
from federation.mesh import LocalMesh
from federation.runtime import Runtime
from tests.federation.parties import together

EDGES = [0, 1, -1, 2, -2, 2**31, -(2**31), 2**59, -(2**59), 2**60 - 1, 1 - 2**60]
numbers = st.one_of(st.sampled_from(EDGES), st.integers(1 - 2**60, 2**60 - 1), st.integers(-3, 3))


def on_shares(work: Any, values: list[int], parties: int = 3) -> Any:
    """What all parties open of ``work(rt, shares)``."""

    async def at(rt: Runtime) -> Any:
        opened = await work(rt, await rt.input(0, np.array(values), (len(values),)))
        return opened if isinstance(opened, int) else (await rt.open(opened)).tolist()

    results = together(at, parties)
    assert all(result == results[0] for result in results)
    return results[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=8))
def test_sign_and_absolute_value(values: list[int]) -> None:
    assert on_shares(negative, values) == [int(x < 0) for x in values]
    assert on_shares(absolute, values) == [abs(x) for x in values]


@pytest.mark.parametrize("parties", [3, 4, 5, 8])
def test_any_number_of_parties(parties: int) -> None:
    assert on_shares(negative, EDGES, parties) == [int(x < 0) for x in EDGES]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(-(2**59) + 1, 2**59 - 1), min_size=2, max_size=8), st.integers(-4, 4))
def test_order(values: list[int], bound: int) -> None:
    async def ordered(rt: Runtime, x: np.ndarray) -> np.ndarray:
        return await less(rt, x, np.roll(x, 1))

    assert on_shares(ordered, values) == [int(x < y) for x, y in zip(values, np.roll(values, 1), strict=True)]
    assert on_shares(lambda rt, x: at_least(rt, x, bound), values) == [int(x >= bound) for x in values]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-(2**59) + 1, 2**59 - 1), min_size=1, max_size=9))
def test_the_largest(values: list[int]) -> None:
    assert values[on_shares(argmax, values)] == max(values)


def test_random_bits_are_fair_and_independent() -> None:
    bits = on_shares(lambda rt, _: random_bits(rt, (4000,)), [0])
    assert set(bits) == {0, 1}
    pairs = 2 * np.array(bits[::2]) + bits[1::2]
    assert chisquare(np.bincount(pairs, minlength=4)).pvalue > 1e-6


def test_what_is_opened_of_a_comparison_is_uniform() -> None:
    """Also for one and the same number; fails wrongly in 1 of a million runs."""
    opened: list[np.ndarray] = []

    async def at(rt: Runtime) -> None:
        async def kept(x: np.ndarray) -> np.ndarray:
            opened.append(await Runtime.open_elements(rt, x))
            return opened[-1]

        rt.open_elements = kept  # type: ignore[method-assign]
        await negative(rt, await rt.input(0, np.full(4000, -3), (4000,)))

    together(at)
    assert chisquare(np.bincount((opened[0] >> np.uint64(57)).astype(int), minlength=16)).pvalue > 1e-6


@pytest.mark.parametrize("value", [-3, 2**40])
def test_the_view_of_one_party(value: int) -> None:
    """Everything that a party receives is uniform, whatever the number; fails wrongly in 1 of 10,000 runs."""

    async def at(rt: Runtime) -> None:
        await negative(rt, await rt.input(0, np.full(1000, value), (1000,)))
        assert isinstance(rt.mesh, LocalMesh)
        for sender, tag, payload in rt.mesh.received:
            if isinstance(payload, np.ndarray) and payload.size >= 1000:
                cells = np.bincount((payload.ravel() >> np.uint64(57)).astype(int), minlength=16)
                assert chisquare(cells).pvalue > 1e-7, (rt.index, sender, tag)

    together(at)
    assert value < field.P
