"""Bounds on contributions: honest tables pass, every kind of lie is named at all parties."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import field
from federation.errors import GarbledError
from federation.mesh import local_meshes
from federation.protocols import contributions
from federation.protocols.contributions import bounded_sum
from federation.runtime import Runtime
from records.errors import ParameterError
from tests.federation.parties import together

HONEST = np.array([3, 0, 4, 1])


@given(st.lists(st.lists(st.integers(0, 25), min_size=4, max_size=4), min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_honest_tables_add_up(tables):
    async def work(rt: Runtime) -> np.ndarray:
        return await rt.open(await bounded_sum(rt, np.array(tables[rt.index]), bound=100))

    assert together(work)[0].tolist() == np.sum(tables, axis=0).tolist()


def _blamed(lie: Callable[[np.ndarray], np.ndarray], monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Whom each party names when party 1 shares other bits than its own, with a bound of 10."""
    honest = contributions._bits
    own = HONEST.copy()

    async def work(rt: Runtime) -> None:
        await bounded_sum(rt, own if rt.index == 1 else HONEST, bound=10)

    def lying(cells: np.ndarray, bound: int, width: int) -> np.ndarray:
        bits = honest(cells, bound, width)
        return lie(bits) if cells is own else bits

    monkeypatch.setattr(contributions, "_bits", lying)

    async def everybody() -> list[BaseException | None]:
        runtimes = [Runtime(mesh, 1) for mesh in local_meshes(3)]
        return await asyncio.gather(*(work(rt) for rt in runtimes), return_exceptions=True)

    errors = asyncio.run(everybody())
    assert all(isinstance(error, GarbledError) for error in errors)
    return {error.peer for error in errors if isinstance(error, GarbledError)}


@pytest.mark.parametrize("cells", [[11, 0, 0, 0], [-1, 3, 0, 0], [4, 4, 4, 4], [15, 15, 15, 15]])
def test_cells_out_of_bounds_name_their_party_everywhere(cells, monkeypatch):
    honest = contributions._bits
    assert _blamed(lambda bits: honest(np.array(cells), 10, bits.shape[1]), monkeypatch) == {1}


def test_a_party_with_more_patients_than_the_bound_says_so_before_it_shares():
    async def work(rt: Runtime) -> None:
        await bounded_sum(rt, HONEST, bound=7)

    with pytest.raises(ParameterError, match="at most 7 patients"):
        together(work)


@pytest.mark.parametrize("value", [2, -1, field.P // 2])
@pytest.mark.parametrize("place", [(0, 0), (3, 2), (4, 1), (5, 3)])
def test_anything_but_bits_is_named(value, place, monkeypatch):
    def lie(bits: np.ndarray) -> np.ndarray:
        bits[place] = value
        return bits

    assert _blamed(lie, monkeypatch) == {1}


def test_two_wrong_bits_that_cancel_in_the_sum_are_still_named(monkeypatch):
    def lie(bits: np.ndarray) -> np.ndarray:
        bits[0, 0] += 2  # the cell grows by 2 and another shrinks by 2: the sum of cells stays
        bits[1, 0] -= 2
        return bits

    assert _blamed(lie, monkeypatch) == {1}


def test_a_bound_that_no_comparison_can_hold_is_refused():
    async def work(rt: Runtime) -> None:
        await bounded_sum(rt, HONEST, bound=2**24)

    with pytest.raises(ParameterError, match="bound of patients"):
        together(work)
