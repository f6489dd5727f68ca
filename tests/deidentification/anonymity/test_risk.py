"""Risks against El Emam's definitions, worked by hand on one small table, and their order as a law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidentification.anonymity.risk import people_per_patient, residual_risk
from records.errors import ParameterError

SIZES = st.lists(st.integers(1, 50), min_size=1, max_size=30).map(np.array)


def test_a_table_worked_by_hand() -> None:
    """Classes of 1, 2, 4 and 5 rows; each row stands for 3 people."""
    risk = residual_risk(np.array([1, 2, 4, 5]), population_multiplier=3, threshold=0.3)
    assert (risk.rows, risk.classes, risk.smallest_class, risk.unique) == (12, 4, 1, 1)
    assert risk.prosecutor_highest == 1
    assert risk.prosecutor_average == pytest.approx(4 / 12)
    assert risk.prosecutor_at_risk == pytest.approx(3 / 12)  # the row alone and the pair: 1 and 1/2 exceed 0.3
    assert risk.journalist_highest == pytest.approx(1 / 3)
    assert risk.journalist_at_risk == pytest.approx(1 / 12)
    assert risk.journalist_average == pytest.approx(4 / 36)
    assert risk.marketer == pytest.approx((1 / 3 + 2 / 6 + 4 / 12 + 5 / 15) / 12)


@given(SIZES, st.floats(1, 100))
def test_the_journalist_knows_no_more_than_the_prosecutor(sizes: np.ndarray, multiplier: float) -> None:
    risk = residual_risk(sizes, population_multiplier=multiplier)
    assert 0 < risk.marketer <= risk.journalist_highest <= risk.prosecutor_highest <= 1
    assert risk.journalist_at_risk <= risk.prosecutor_at_risk
    assert risk.prosecutor_average <= risk.prosecutor_highest


def test_an_empty_table_and_wrong_parameters() -> None:
    assert residual_risk(np.array([], dtype=int)).prosecutor_highest == 0
    with pytest.raises(ParameterError, match="multiplier"):
        residual_risk(np.array([1]), population_multiplier=0.5)
    with pytest.raises(ParameterError, match="threshold"):
        residual_risk(np.array([1]), threshold=0)


@pytest.mark.parametrize(("fraction", "people"), [(None, 1), (1, 1), (0.1, 10)])
def test_a_sampling_fraction_tells_people_per_patient(fraction: float | None, people: float) -> None:
    assert people_per_patient(fraction) == people


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5])
def test_no_other_share_is_taken(fraction: float) -> None:
    with pytest.raises(ParameterError, match="sampling fraction must lie above 0, up to 1"):
        people_per_patient(fraction)
