"""Pooling of estimates over synthetic tables that were drawn from posterior draws of the model.

Belongs here: the combining rules for fully synthetic data. Does not belong here: the estimates (``estimates``).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import f, t

from models.inference.estimates import Estimate
from records.errors import ParameterError


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate and its uncertainty.

    Parameters
    ----------
    names : tuple of str
    value : numpy.ndarray of float, shape (k,)
    covariance : numpy.ndarray of float, shape (k, k)
    degrees : float
        Degrees of freedom of the reference distribution.
    """

    names: tuple[str, ...]
    value: np.ndarray
    covariance: np.ndarray
    degrees: float

    @property
    def standard_error(self) -> np.ndarray:
        """Square roots of the variances, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    def interval(self, level: float = 0.95) -> np.ndarray:
        """Confidence limits, shape (k, 2), by Student's t."""
        half = t.ppf((1 + level) / 2, self.degrees) * self.standard_error
        return np.column_stack([self.value - half, self.value + half])

    def p_values(self, null: float = 0.0) -> np.ndarray:
        """Two-sided p-value of each component being ``null``, shape (k,)."""
        return 2 * t.sf(np.abs(self.value - null) / self.standard_error, self.degrees)

    def joint_p_value(self) -> float:
        """P-value of all components being zero (Hotelling's F on the pooled covariance)."""
        k, degrees = self.value.size, max(self.degrees, self.value.size + 1.0)
        wald = float(self.value @ np.linalg.pinv(self.covariance) @ self.value)
        return float(f.sf(wald * (degrees - k + 1) / (k * degrees), k, degrees - k + 1))


def pool(estimates: list[Estimate], *, patients: int) -> Pooled:
    r"""Combine one estimate per table.

    The variance is :math:`T = (1 + 1/m) B - \bar U` with ``B`` between and :math:`\bar U` within tables, Student's t with
    :math:`(m - 1)(1 - \bar U / ((1 + 1/m) B))^2` degrees of freedom (Raghunathan, Reiter and Rubin, 2003; Reiter and
    Raghunathan, 2007). ``T`` can come out below what ``patients`` without any noise would give; it is then raised to that
    in the directions where it does.

    Parameters
    ----------
    estimates : list of Estimate
        At least 5 tables, all of the same names.
    patients : int
        Patients whom the model was learnt from.

    Raises
    ------
    ParameterError
        Fewer than five tables, or tables without a finite estimate.
    """
    usable, values, within, between = _parts(estimates)
    m = len(usable)
    floor = within * np.mean([e.rows for e in usable]) / patients
    covariance, share = _at_least(between - within, floor), np.trace(np.linalg.pinv(between) @ within) / len(within)
    degrees = (m - 1) * max(1 - share, 0.2) ** 2
    return Pooled(usable[0].names, values.mean(axis=0), covariance, degrees)


def pool_imputed(estimates: list[Estimate]) -> Pooled:
    r"""Combine one estimate per completed table: variance :math:`\bar U + (1 + 1/m) B` (Rubin, 1987).

    Raises
    ------
    ParameterError
        Fewer than five tables, or tables without a finite estimate.
    """
    usable, values, within, between = _parts(estimates)
    share = np.trace(np.linalg.pinv(within) @ between) / len(within)
    degrees = (len(usable) - 1) * (1 + 1 / max(share, 1e-9)) ** 2
    return Pooled(usable[0].names, values.mean(axis=0), within + between, degrees)


def _parts(estimates: list[Estimate]) -> tuple[list[Estimate], np.ndarray, np.ndarray, np.ndarray]:
    """Finite estimates, their values, the covariance within tables, and ``(1 + 1/m) B`` between them."""
    usable = [e for e in estimates if np.isfinite(e.value).all() and np.isfinite(e.covariance).all()]
    if len(usable) < max(5, 0.9 * len(estimates)):
        raise ParameterError(
            f"the estimate must be finite on five tables and on nine in ten, got {len(usable)} of {len(estimates)}; "
            "draw more tables, raise epsilon or ask for a simpler estimate"
        )
    values = np.stack([e.value for e in usable])
    within = np.mean([e.covariance for e in usable], axis=0)
    return usable, values, within, (1 + 1 / len(usable)) * np.atleast_2d(np.cov(values, rowvar=False))


def _at_least(covariance: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """``covariance`` with no direction below ``floor``."""
    values, vectors = np.linalg.eigh(floor)
    root = vectors * np.sqrt(np.clip(values, 1e-300, None))
    inverse = (vectors / np.sqrt(np.clip(values, 1e-300, None))).T
    white_values, white_vectors = np.linalg.eigh(inverse @ covariance @ inverse.T)
    raised = root @ white_vectors
    return (raised * np.clip(white_values, 1.0, None)) @ raised.T
