"""What programs open: bits of comparisons and figures of at least the minimum count, and nothing else.

Every opening of every program runs through ``Runtime.open`` (or ``open_elements``, where numbers are masked by uniform
ones), so a spy there sees all that any party learns of the others.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from federation import field
from federation.jobs.programs import PROGRAMS
from federation.protocols import suppression
from federation.runtime import Runtime
from tests.federation.jobs.test_programs import QUESTIONS
from tests.federation.parties import a_job, computed, hospitals
from tests.federation.protocols.test_linkage import HOLDERS, SITES

NCCTG, POOLED, _ = hospitals("lung", "ncctg_lung")
MINIMUM = 20
LINKED = (["stage", "performance", "treatment"], {"holders": HOLDERS})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """All arrays that the parties open, but for the place of the smallest cell."""
    seen: list[np.ndarray] = []
    plain, place = Runtime.open, suppression.argmax

    async def spied(rt: Runtime, x: np.ndarray, **given: Any) -> np.ndarray:
        found = await plain(rt, x, **given)
        if rt.index == 0:
            seen.append(found)
        return found

    async def unseen(rt: Runtime, scores: np.ndarray) -> int:
        before = len(seen)
        found = await place(rt, scores)
        del seen[before:]
        return found

    monkeypatch.setattr(Runtime, "open", spied)
    monkeypatch.setattr(suppression, "argmax", unseen)
    return seen


@pytest.mark.parametrize(
    "kind", ["count", "histogram", "contingency", "linked_contingency", "intersection", "quantiles"]
)
def test_counts_are_opened_from_the_minimum_on(kind: str, opened: list[np.ndarray]):
    columns, parameters = LINKED if kind == "linked_contingency" else QUESTIONS[kind]
    sites = SITES if kind == "linked_contingency" else NCCTG
    plain = {name: value for name, value in parameters.items() if name != "bound"}
    computed(PROGRAMS[kind], sites, a_job(kind, columns, parameters=plain, minimum_count=MINIMUM))
    values = np.concatenate([array.ravel() for array in opened])
    assert set(values[values < MINIMUM].tolist()) <= {0, 1}
    bits = [array for array in opened if set(np.unique(array)) <= {0, 1}]
    assert all(array.min() >= MINIMUM for array in opened if array.size and not any(array is b for b in bits))


def test_curves_open_steps_of_enough_events(opened: list[np.ndarray]):
    columns, parameters = QUESTIONS["kaplan_meier"]
    computed(
        PROGRAMS["kaplan_meier"], NCCTG, a_job("kaplan_meier", columns, parameters=parameters, minimum_count=MINIMUM)
    )
    figures = [array for array in opened if not set(np.unique(array)) <= {0, 1}]
    assert len(figures) == 2  # sizes of the groups, and all steps at once
    assert all(array.min() >= MINIMUM for array in figures)


@pytest.mark.parametrize("kind", ["log_rank", "cox", "logistic", "moments", "correlation"])
def test_models_open_only_sums_over_all_patients(kind: str, opened: list[np.ndarray]):
    """As many numbers as the result has, at each iteration: nothing by day, patient or site."""
    columns, parameters = QUESTIONS[kind]
    result = computed(PROGRAMS[kind], NCCTG, a_job(kind, columns, parameters=parameters, minimum_count=MINIMUM))
    size = {"logistic": 3, "cox": 2}.get(kind, 4)
    rounds = 4 * result.get("iterations", 1) + 12
    assert max(array.size for array in opened) <= (1 + size) * (1 + size)
    assert len(opened) <= rounds


@pytest.mark.parametrize("kind", ["contingency", "kaplan_meier", "log_rank"])
def test_what_is_opened_under_a_mask_is_uniform(kind: str, monkeypatch: pytest.MonkeyPatch):
    seen: list[np.ndarray] = []
    plain: Callable[[Runtime, np.ndarray], Awaitable[np.ndarray]] = Runtime.open_elements

    async def spied(rt: Runtime, x: np.ndarray) -> np.ndarray:
        found = await plain(rt, x)
        if rt.index == 0:
            seen.append(found.ravel())
        return found

    monkeypatch.setattr(Runtime, "open_elements", spied)
    columns, parameters = QUESTIONS[kind]
    for _ in range(5):
        computed(PROGRAMS[kind], NCCTG, a_job(kind, columns, parameters=parameters, minimum_count=MINIMUM))
    view = np.concatenate(seen) / field.P
    assert stats.kstest(view, "uniform").pvalue > 1e-6
