"""The conversion agrees with an independent accountant and never under-reports."""

import pytest
from dp_accounting import GaussianDpEvent
from dp_accounting.pld import PLDAccountant
from hypothesis import given
from hypothesis import strategies as st

from records.accounting import epsilon_to_rho, rho_to_epsilon
from records.errors import ParameterError


@pytest.mark.parametrize("epsilon", [0.5, 1, 5])
def test_epsilon_is_an_upper_bound_of_the_exact_one(epsilon: float) -> None:
    rho = epsilon_to_rho(epsilon, 1e-5)
    exact = PLDAccountant().compose(GaussianDpEvent((1 / (2 * rho)) ** 0.5)).get_epsilon(1e-5)
    assert exact <= rho_to_epsilon(rho, 1e-5) <= epsilon
    assert exact > 0.7 * epsilon


@given(st.floats(0.01, 50), st.floats(1e-9, 1e-2))
def test_never_more_than_asked(epsilon: float, delta: float) -> None:
    assert rho_to_epsilon(epsilon_to_rho(epsilon, delta), delta) <= epsilon


@pytest.mark.parametrize("epsilon", [0, -1, float("nan")])
def test_bad_budgets(epsilon: float) -> None:
    with pytest.raises(ParameterError, match="epsilon must"):
        epsilon_to_rho(epsilon, 1e-5)
