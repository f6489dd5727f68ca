"""How one budget is shared by the parts of a private fit, and what they prove together.

Belongs here: noise scales and accounting. Does not belong here: adding the noise (``central``, ``private``).

Four mechanisms see the patients: their number, the central images, the steps of DP-SGD and the table of labels and
clinical columns. Each holds its share of rho at every Renyi order up to that at which the whole rho becomes an epsilon
(``models.sampled_gaussian`` tells why), so that their sum holds too. Renyi divergences add up, and the epsilon stated
is the best that follows from the sum (Mironov, 2017; Balle et al., 2020).
"""

import math
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from opacus.accountants.analysis.rdp import compute_rdp, get_privacy_spent

from models.images.diffusion.settings import Settings
from models.sampled_gaussian import LARGEST_ORDER, least_noise
from records.accounting import best_order, rho_to_epsilon, sigma_for
from records.errors import ParameterError
from records.privacy import ADD_REMOVE_PATIENT, Mechanism, PrivacySpend

COUNT_SHARE, CENTRAL_SHARE, TABLE_SHARE = 0.02, 0.1, 0.05
CENTRAL_RATE = 0.5  # chance of each patient to be in a central image: few large subsets drown less than many small ones
ACCOUNTANT = "Renyi orders (Mironov, Talwar and Zhang, 2019), converted by Balle et al. (2020)"


@dataclass(frozen=True)
class Plan:
    """Noise of one private fit: all public, none of it depends on the patients.

    Parameters
    ----------
    rho : float
        Truncated zCDP of all parts together, for orders up to ``largest_order``.
    epsilon, delta : float
        What the same proves.
    count_sigma : float
        Noise scale of the number of patients.
    central_sigma : float
        Noise scale of a sum of images, per norm; 0 where no central images are asked for.
    noise_multiplier : float
        Noise scale of a step's summed gradients, per clipping norm.
    sampling_rate : float
        Chance of each patient to be in a step, independently (Poisson sampling); ``CENTRAL_RATE`` in a central image.
    central_images, steps : int
    table_rho : float
        Left for the table of labels and clinical columns.
    """

    rho: float
    largest_order: int
    epsilon: float
    delta: float
    count_sigma: float
    central_sigma: float
    noise_multiplier: float
    sampling_rate: float
    central_images: int
    steps: int
    table_rho: float

    @property
    def history(self) -> list[tuple[float, float, int]]:
        """Noise scale, sampling rate and number of all Gaussian mechanisms."""
        central = [(self.central_sigma, CENTRAL_RATE, self.central_images)] if self.central_images else []
        return [(self.count_sigma, 1.0, 1), *central, (self.noise_multiplier, self.sampling_rate, self.steps)]

    def spend(self, table: PrivacySpend, neighbouring: str = ADD_REMOVE_PATIENT) -> PrivacySpend:
        """What it costs, with the table's mechanisms. Floating-point noise is not secure.

        Parameters
        ----------
        table : PrivacySpend
            Of at most ``table_rho``.
        """
        central = CENTRAL_SHARE * self.rho if self.central_images else 0.0
        count = COUNT_SHARE * self.rho
        steps = self.rho - count - central - self.table_rho
        mechanisms = [Mechanism("rounded Gaussian", "number of patients", count, 1, self.count_sigma)]
        if self.central_images:
            name, scale = f"subsampled Gaussian, sampling rate {CENTRAL_RATE:g}", self.central_sigma
            mechanisms.append(Mechanism(name, "central images", central, self.central_images, scale))
        name = f"subsampled Gaussian (DP-SGD), sampling rate {self.sampling_rate:g}"
        mechanisms += [Mechanism(name, "gradient steps", steps, self.steps, self.noise_multiplier), *table.mechanisms]
        return PrivacySpend(
            tuple(mechanisms), rho=self.rho, epsilon=self.epsilon, delta=self.delta, neighbouring=neighbouring, accountant=ACCOUNTANT,
            largest_order=self.largest_order, secure=False,
        )  # fmt: skip


@lru_cache(maxsize=32)
def planned(rho: float, delta: float, settings: Settings) -> Plan:
    """The least noise whose cost stays within ``rho``.

    Raises
    ------
    ParameterError
        The budget is not positive, or too small for the accountant's orders.
    """
    if not 0 < rho < math.inf:
        raise ParameterError(f"budget must be positive or none, got {rho}; choose an epsilon, or none")
    order = math.ceil(best_order(rho, delta))
    if order > LARGEST_ORDER:
        raise ParameterError(f"budget must need no order above {LARGEST_ORDER}, got rho {rho:.3g}; raise epsilon")
    rate, images = settings.sampling_rate, settings.central_images
    central = CENTRAL_SHARE if images else 0.0
    steps_rho = (1 - COUNT_SHARE - central - TABLE_SHARE) * rho
    plan = Plan(
        rho, order, rho_to_epsilon(rho, delta), delta, sigma_for(COUNT_SHARE * rho, 1),
        least_noise(central * rho, CENTRAL_RATE, images, order) if images else 0.0,
        least_noise(steps_rho, rate, settings.steps, order), rate, images, settings.steps, TABLE_SHARE * rho,
    )  # fmt: skip
    return replace(plan, epsilon=min(plan.epsilon, _epsilon(plan)))


def _epsilon(plan: Plan) -> float:
    orders = np.unique([2.25, 2.5, 2.75, 3.5, *range(2, 64), *np.geomspace(64, LARGEST_ORDER, 20).round()])
    divergence = plan.table_rho * orders
    for noise, rate, count in plan.history:
        divergence = divergence + compute_rdp(q=rate, noise_multiplier=noise, steps=count, orders=orders.tolist())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Optimal order is the")  # any order proves something
        return float(get_privacy_spent(orders=orders.tolist(), rdp=divergence.tolist(), delta=plan.delta)[0])
