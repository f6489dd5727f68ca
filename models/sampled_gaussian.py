"""How much noise training on random samples of patients needs, and what it proves.

Belongs here: accounting of the subsampled Gaussian mechanism, by Opacus. Does not belong here: training (``dp_sgd``).

The ledger adds up rho. A subsampled Gaussian gains nothing from sampling at Renyi orders without bound, so its zCDP is
useless; but the ledger's sum only ever becomes an epsilon at one order, and that order falls as the sum grows. So the
noise is made large enough that the Renyi divergence of every order up to that of the asked rho *alone* is at most rho
times the order: truncated concentrated differential privacy (Bun, Dwork, Rothblum and Steinke, 2018). Such a rho adds
up with others, and every epsilon that follows from a sum, at the same or a larger delta, is proven. The epsilon of the
fit itself is then stated by the tighter PRV accountant (Gopi, Lee and Wutschitz, 2021).

The sampling rate is a public constant. Batch sizes would have made it a function of the number of patients, and the
noise with it; a fixed rate makes every figure here independent of the patients.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from opacus.accountants import PRVAccountant
from opacus.accountants.analysis.rdp import compute_rdp
from scipy.optimize import brentq

from records.accounting import best_order, rho_to_epsilon, sigma_for
from records.errors import ParameterError
from records.privacy import Mechanism, PrivacySpend

COUNT_SHARE = 0.02
LARGEST_ORDER = 1000
ACCOUNTANT = "PRV (Gopi, Lee and Wutschitz, 2021); rho by Renyi orders (Mironov, Talwar and Zhang, 2019)"


@dataclass(frozen=True)
class Plan:
    """Noise of one private training: all public, none of it depends on the patients.

    Parameters
    ----------
    rho : float
        Truncated zCDP of the count and all steps together, for orders up to ``largest_order``.
    epsilon, delta : float
        What the PRV accountant proves for the same.
    count_sigma : float
        Noise scale of the number of patients.
    noise_multiplier : float
        Noise scale of a step's summed gradients, per clipping norm.
    sampling_rate : float
        Chance of each patient to be in a step, independently (Poisson sampling).
    steps : int
    """

    rho: float
    largest_order: int
    epsilon: float
    delta: float
    count_sigma: float
    noise_multiplier: float
    sampling_rate: float
    steps: int

    def spend(self) -> PrivacySpend:
        """What it costs. Floating-point noise proves nothing to who knows the last bit, hence not secure."""
        count = COUNT_SHARE * self.rho
        mechanisms = (
            Mechanism("rounded Gaussian", "number of patients", count, 1, self.count_sigma),
            Mechanism(
                f"subsampled Gaussian (DP-SGD), sampling rate {self.sampling_rate:g}", "gradient steps",
                self.rho - count, self.steps, self.noise_multiplier,
            ),
        )  # fmt: skip
        return PrivacySpend(
            mechanisms, rho=self.rho, epsilon=self.epsilon, delta=self.delta, accountant=ACCOUNTANT,
            largest_order=self.largest_order, secure=False,
        )  # fmt: skip


def planned(rho: float, delta: float, *, sampling_rate: float, steps: int) -> Plan:
    """The least noise whose cost stays within ``rho``.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or ``rho`` is too small for the accountant's orders.
    """
    if not 0 < sampling_rate <= 0.5 or steps < 1:
        raise ParameterError(
            f"sampling_rate must lie between 0 and 0.5 and steps be positive, got {sampling_rate} and {steps}; "
            "choose for instance 0.1 and 500"
        )
    order = math.ceil(best_order(rho, delta))
    if order > LARGEST_ORDER:
        raise ParameterError(f"budget must need no order above {LARGEST_ORDER}, got rho {rho:.3g}; raise epsilon")
    count_sigma = sigma_for(COUNT_SHARE * rho, 1)
    noise = least_noise((1 - COUNT_SHARE) * rho, sampling_rate, steps, order)
    proven = rho_to_epsilon(rho, delta)
    tighter = prv_epsilon([(count_sigma, 1.0, 1), (noise, sampling_rate, steps)], delta, error=proven / 100)
    return Plan(rho, order, min(tighter, proven), delta, count_sigma, noise, sampling_rate, steps)


def prv_epsilon(history: list[tuple[float, float, int]], delta: float, *, error: float) -> float:
    """Upper bound on the epsilon of Gaussian mechanisms composed, by add or remove one patient.

    Parameters
    ----------
    history : list of (noise multiplier, sampling rate, steps)
    error : float
        Most by which the bound may exceed the truth.
    """
    accountant = PRVAccountant()
    accountant.history = history
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Optimal order is the largest alpha")  # it sizes a grid, not epsilon
        return float(accountant.get_epsilon(delta, eps_error=error))


def least_noise(rho: float, sampling_rate: float, steps: int, largest_order: int) -> float:
    """Noise per unit of norm at which ``steps`` subsampled Gaussians hold ``rho`` at all orders up to the largest."""
    for orders in ([float(largest_order)], _orders(largest_order)):  # one is quick and nearly always enough
        noise = _least_noise(rho, sampling_rate, steps, orders)
        if _rise(noise, sampling_rate, steps, _orders(largest_order)) <= rho:
            break
    return noise


def _least_noise(rho: float, sampling_rate: float, steps: int, orders: list[float]) -> float:
    def excess(log_sigma: float) -> float:
        return math.log(_rise(math.exp(log_sigma), sampling_rate, steps, orders) / rho)

    found = float(brentq(excess, math.log(0.3), math.log(1e5), xtol=1e-9))  # type: ignore[arg-type]
    return math.exp(found) * (1 + 1e-6)


def _rise(noise: float, sampling_rate: float, steps: int, orders: list[float]) -> float:
    """Largest divergence per order."""
    divergence = compute_rdp(q=sampling_rate, noise_multiplier=noise, steps=steps, orders=orders)
    return float(np.max(np.asarray(divergence) / orders))


def _orders(largest: int) -> list[float]:
    """Orders to look at: the divergence per order rises with the order, so the largest decides."""
    fine = [1.1, 1.25, 1.5, 1.75, *range(2, min(largest, 16))]
    wide = np.unique(np.geomspace(2, largest, 20).round())
    return sorted({float(order) for order in [*fine, *wide, largest] if order <= largest})
