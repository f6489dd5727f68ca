"""The noise proves its epsilon and its rho, by accountants that are not ours."""

import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant

from models.images.diffusion.plan import Plan, planned
from models.images.diffusion.settings import Settings
from models.sampled_gaussian import prv_epsilon
from records.accounting import best_order, epsilon_to_rho, rho_to_epsilon
from records.errors import ParameterError
from records.privacy import Mechanism, PrivacySpend

DELTA = 1e-5
SETTINGS = Settings(steps=100, sampling_rate=0.1)


def composed(accountant: PLDAccountant | RdpAccountant, plan: Plan) -> None:
    """The plan's mechanisms, with the whole of the table's rho as one Gaussian release."""
    for sigma, rate, count in [*plan.history, (1 / math.sqrt(2 * plan.table_rho), 1.0, 1)]:
        event = GaussianDpEvent(sigma) if rate == 1 else PoissonSampledDpEvent(rate, GaussianDpEvent(sigma))
        accountant.compose(SelfComposedDpEvent(event, count))


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1, 10])
@pytest.mark.parametrize("images", [0, 20])
def test_epsilon_covers_the_truth_and_stays_within_what_was_asked(epsilon: float, images: int) -> None:
    settings = Settings(steps=100, sampling_rate=0.1, central_images=images)
    plan = planned(epsilon_to_rho(epsilon, DELTA), DELTA, settings)
    pessimistic = PLDAccountant(value_discretization_interval=1e-3)
    composed(pessimistic, plan)
    gaussian_table = (1 / math.sqrt(2 * plan.table_rho), 1.0, 1)
    by_opacus = prv_epsilon([*plan.history, gaussian_table], DELTA, error=0.01)
    assert by_opacus <= pessimistic.get_epsilon(DELTA) * 1.02 + 0.02
    assert by_opacus - 0.02 <= plan.epsilon <= epsilon
    assert plan.epsilon <= 1.3 * by_opacus


@pytest.mark.parametrize("epsilon", [0.5, 3, 10])
def test_rho_holds_at_every_order_it_claims(epsilon: float) -> None:
    rho = epsilon_to_rho(epsilon, DELTA)
    plan = planned(rho, DELTA, SETTINGS)
    assert plan.rho == rho
    assert plan.largest_order >= best_order(rho, DELTA)
    assert plan.epsilon <= rho_to_epsilon(rho, DELTA)
    orders = [float(order) for order in range(2, plan.largest_order + 1)]
    divergences = RdpAccountant(orders)
    composed(divergences, plan)
    assert np.all(divergences._rdp <= plan.rho * np.array(orders) * (1 + 1e-6))


def test_epsilon_is_that_of_dp_accountings_orders() -> None:
    plan = planned(epsilon_to_rho(3, DELTA), DELTA, SETTINGS)
    orders = [2.25, 2.5, 2.75, 3.5, *range(2, 64)]
    theirs = RdpAccountant(orders)
    composed(theirs, plan)
    assert plan.epsilon == pytest.approx(min(3, theirs.get_epsilon(DELTA)), rel=0.01)


def test_the_spend_names_every_look_at_the_patients() -> None:
    plan = planned(1.0, DELTA, SETTINGS)
    table = PrivacySpend((Mechanism("discrete Gaussian", "counts", plan.table_rho, 1, 2.0),), rho=plan.table_rho)
    spend = plan.spend(table)
    assert sum(one.rho for one in spend.mechanisms) == pytest.approx(1.0)
    purposes = [one.purpose for one in spend.mechanisms]
    assert purposes == ["number of patients", "central images", "gradient steps", "counts"]
    assert not spend.secure
    assert spend.largest_order == plan.largest_order


@pytest.mark.parametrize("rho", [0.0, -1.0, math.inf, 1e-9])
def test_budgets_out_of_range(rho: float) -> None:
    with pytest.raises(ParameterError, match="budget must"):
        planned(rho, DELTA, SETTINGS)
