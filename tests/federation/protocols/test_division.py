"""Fixed point on shares: rounding to a neighbour, right on average, masked by uniform numbers; reciprocals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from federation import field
from federation.protocols.division import ONE, inverses, reciprocals, truncated
from federation.protocols.tails import chi_squared, normal_two_sided
from federation.runtime import Runtime
from tests.federation.parties import together


@given(st.lists(st.integers(-(2**59) + 1, 2**59 - 1), min_size=1, max_size=8), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_truncation_rounds_to_a_neighbour(values: list[int], bits: int):
    async def work(rt: Runtime) -> np.ndarray:
        return await rt.open(await truncated(rt, await rt.input(0, np.array(values), (len(values),)), bits))

    for value, found in zip(values, together(work)[0].tolist(), strict=True):
        assert found in (value >> bits, (value >> bits) + 1)


def test_truncation_is_right_on_average():
    value, bits = 1000 * 2**10 + 300, 10

    async def work(rt: Runtime) -> np.ndarray:
        return await rt.open(await truncated(rt, rt.public(np.full(4000, value)), bits))

    ups = int((together(work)[0] > value >> bits).sum())
    assert stats.binomtest(ups, 4000, 300 / 2**10).pvalue > 1e-6


def test_what_truncation_opens_is_uniform_whatever_the_value():
    views = []
    for value in (0, 2**58):

        async def work(rt: Runtime, value: int = value) -> np.ndarray:
            seen, opening = [], rt.open_elements

            async def spied(x: np.ndarray) -> np.ndarray:
                seen.append(await opening(x))
                return seen[-1]

            rt.open_elements = spied  # type: ignore[method-assign]
            await truncated(rt, rt.public(np.full(3000, value)), 20)
            return seen[0]

        views.append(together(work)[0] / field.P)
    for view in views:
        assert stats.kstest(view, "uniform").pvalue > 1e-6
    assert stats.mannwhitneyu(*views).pvalue > 1e-6


@given(st.lists(st.floats(1 / 16, 1.9), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_reciprocals(values: list[float]):
    y = np.rint(np.array(values) * ONE).astype(np.int64)

    async def work(rt: Runtime) -> np.ndarray:
        return await rt.open(await reciprocals(rt, rt.public(y), rounds=8))

    np.testing.assert_allclose(together(work)[0] / ONE, ONE / y, rtol=2e-5)


@pytest.mark.parametrize(("top", "low", "precision"), [(9, 0, 24), (9, 3, 24), (30, 8, 18), (1, 0, 24)])
def test_inverses_of_values_of_any_size(top: int, low: int, precision: int):
    values = np.unique(np.geomspace(2**low, 2**top - 1, 200).astype(np.int64))

    async def work(rt: Runtime) -> np.ndarray:
        return await rt.open(await inverses(rt, rt.public(values), top=top, low=low, precision=precision))

    np.testing.assert_allclose(together(work)[0] / 2.0 ** (precision + top), 1 / values, rtol=2.0 ** (3 - precision))


def test_inverses_of_values_out_of_range_do_no_harm():
    """They are multiplied by zero wherever they can occur."""

    async def work(rt: Runtime) -> np.ndarray:
        found = await inverses(rt, rt.public(np.array([0, -1])), top=9)
        return await rt.open(await rt.multiply(found, rt.public(0, (2,))))

    assert together(work)[0].tolist() == [0, 0]


@given(st.floats(0, 60), st.integers(1, 9))
def test_tails_are_scipys(statistic: float, degrees: int):
    assert np.isclose(chi_squared(statistic, degrees), stats.chi2.sf(statistic, degrees), rtol=1e-9, atol=1e-300)
    assert np.isclose(normal_two_sided(statistic / 10), 2 * stats.norm.sf(statistic / 10), rtol=1e-9)
