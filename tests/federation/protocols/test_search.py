"""Search along shared numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.protocols.search import first_reaching
from federation.runtime import Runtime
from tests.federation.parties import together


@given(st.lists(st.integers(0, 3), min_size=1, max_size=150), st.integers(1, 60), st.integers(0, 10))
@settings(max_examples=15, deadline=None)
def test_search_finds_the_first_point_that_reaches_the_goal(steps: list[int], goal: int, start: int):
    rising = np.cumsum(steps)
    start = min(start, len(steps))

    async def work(rt: Runtime) -> np.ndarray:
        shares = await rt.input(0, rising[None], (1, len(steps)))
        at = np.array([start]), np.array([len(steps)])
        return await first_reaching(rt, shares, rt.public(np.array([goal])), *at)

    reached = np.flatnonzero(rising[start:] >= goal)
    assert together(work)[0].tolist() == [start + int(reached[0]) if len(reached) else len(steps)]
