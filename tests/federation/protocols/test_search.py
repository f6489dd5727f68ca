"""Search along shared numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.protocols.search import first_reaching
from federation.runtime import Runtime
from tests.federation.parties import together


@given(st.lists(st.lists(st.integers(0, 3), min_size=90, max_size=90), min_size=1, max_size=2), st.data())
@settings(max_examples=15, deadline=None)
def test_search_finds_the_first_points_that_reach_the_goals(steps: list[list[int]], data: st.DataObject):
    rising = np.cumsum(steps, axis=1)
    goals = np.array(data.draw(st.lists(st.integers(0, 200), min_size=1, max_size=5)))
    rows = np.array(data.draw(st.lists(st.integers(0, len(steps) - 1), min_size=len(goals), max_size=len(goals))))

    async def work(rt: Runtime) -> np.ndarray:
        return await first_reaching(rt, rt.public(rising), goals, rows)

    expected = [int(np.searchsorted(rising[row], goal)) for row, goal in zip(rows, goals, strict=True)]
    assert together(work)[0].tolist() == expected


def test_many_goals_are_searched_with_fewer_pivots():
    rising = np.arange(1000)[None] // 2

    async def work(rt: Runtime) -> np.ndarray:
        return await first_reaching(rt, rt.public(rising), np.arange(400), np.zeros(400, np.int64))

    assert together(work)[0].tolist() == [2 * goal for goal in range(400)]
