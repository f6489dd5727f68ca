"""Rates and risks have the protocol's arithmetic and cover the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from metrics.attacks.risk import auxiliary_columns, measured, residual, secret_columns, too_few, wilson, worst
from records.schema import Schema


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy(case: tuple[int, int]) -> None:
    hits, attacks = case
    expected = binomtest(hits, attacks).proportion_ci(method="wilson")
    found = wilson(hits, attacks)
    assert np.allclose([found.lower, found.upper], [expected.low, expected.high], atol=1e-9)
    assert np.isclose(found.value, (expected.low + expected.high) / 2)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_risk_lies_in_its_bounds(attack: int, control: int) -> None:
    found = residual(wilson(attack, 500), wilson(control, 500))
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert (found.value == 0) == (attack <= control)


def test_the_risk_is_what_the_package_computes() -> None:
    """Figures of anonymeter 1.1.0's ``EvaluationResults(500, 300, 100, 200).risk()``."""
    found = measured("x", train=wilson(300, 500), baseline=wilson(100, 500), control=wilson(200, 500))
    assert np.isclose(found.risk, 0.3312127663287665)
    assert found.better_than_guessing
    assert np.allclose([found.risk_lower, found.risk_upper], [0.245320821287774, 0.417104711369759])


def test_the_interval_covers_the_truth() -> None:
    """4,000 pairs of independent rates of true risk 0.2: below 94 % coverage with probability 0.002."""
    rng = np.random.default_rng(0)
    attack, control = rng.binomial(1000, 0.6, 4000), rng.binomial(1000, 0.5, 4000)
    found = [residual(wilson(a, 1000), wilson(c, 1000)) for a, c in zip(attack, control, strict=True)]
    assert np.mean([f.lower <= 0.2 <= f.upper for f in found]) >= 0.94


def test_the_worst_risk_is_the_surest() -> None:
    low, high = (
        measured("x", train=wilson(h, 500), baseline=wilson(1, 500), control=wilson(99, 500)) for h in (120, 300)
    )
    assert worst([low, high]) is high
    assert worst([]) is None


def test_columns_come_from_the_schema(schema: Schema) -> None:
    assert [c.name for c in secret_columns(schema)] == ["smoker", "recurrence", "event"]
    assert [c.name for c in auxiliary_columns(schema)] == ["age", "marker", "stage", "doctor_guess"]


@pytest.mark.parametrize(("sizes", "words"), [((500, 5, 500), "5 patients are too few"), ((500, 500, 0), "no row")])
def test_small_tables_give_a_reason(sizes: tuple[int, int, int], words: str) -> None:
    assert words in str(too_few(*sizes))
    assert too_few(10, 10, 1) is None
