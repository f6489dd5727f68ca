"""Privacy models of a released table: k-anonymity, l-diversity and t-closeness, as a demand on each class.

Belongs here: what a class of equal quasi-identifiers must hold. Does not belong here: making it so (``lattice``).

References
----------
Sweeney (2002). k-anonymity. IJUFKS 10(5). Machanavajjhala et al. (2007). l-diversity. ACM TKDD 1(1).
Li, Li & Venkatasubramanian (2007). t-closeness. ICDE.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from records.errors import ParameterError


class Diversity(StrEnum):
    """How the values of a sensitive column are counted: each once, or by the exponential of their entropy."""

    DISTINCT = "distinct"
    ENTROPY = "entropy"


@dataclass(frozen=True)
class Anonymity:
    """What every class of a released table must hold.

    Parameters
    ----------
    k : int
        Patients per class, at least 2.
    l : float or None
        Diversity of each sensitive column in each class, above 1.
    t : float or None
        Largest earth mover's distance between a sensitive column in a class and in the table, 0 < t < 1.
    suppression : float
        Largest share of rows that may be left out, 0 <= suppression < 1.
    diversity : Diversity

    Raises
    ------
    ParameterError
        A parameter is out of range.
    """

    k: int
    l: float | None = None  # noqa: E741 - the field's own name
    t: float | None = None
    suppression: float = 0.02
    diversity: Diversity = Diversity.DISTINCT

    def __post_init__(self) -> None:
        if self.k < 2:
            raise ParameterError(f"k must be at least 2, got {self.k}; hospitals commonly use 5 or 11")
        if self.l is not None and self.l <= 1:
            raise ParameterError(f"l must be above 1, got {self.l:g}; give 2 or more, or leave it out")
        if self.t is not None and not 0 < self.t < 1:
            raise ParameterError(f"t must lie between 0 and 1, got {self.t:g}; give 0.2, or leave it out")
        if not 0 <= self.suppression < 1:
            raise ParameterError(f"suppression must be at least 0 and below 1, got {self.suppression:g}; give 0.02")

    @property
    def monotone(self) -> bool:
        """Whether generalising further never breaks a class that holds: not so for entropy and t with suppression."""
        lasting = self.t is None and (self.l is None or self.diversity is Diversity.DISTINCT)
        return lasting or self.suppression == 0


def diversities(counts: np.ndarray, kind: Diversity) -> np.ndarray:
    """Diversity of each class.

    Parameters
    ----------
    counts : numpy.ndarray, shape (classes, values)
        Rows of each class with each value of a sensitive column.
    kind : Diversity

    Returns
    -------
    numpy.ndarray of float, shape (classes,)
    """
    if kind is Diversity.DISTINCT:
        return (counts > 0).sum(axis=1).astype(float)
    shares = counts / counts.sum(axis=1, keepdims=True)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.exp(-(shares * logs).sum(axis=1))


def distances(counts: np.ndarray, total: np.ndarray, *, ordered: bool) -> np.ndarray:
    """Earth mover's distance of each class to the whole table.

    Parameters
    ----------
    counts : numpy.ndarray, shape (classes, values)
    total : numpy.ndarray, shape (values,)
        Rows of the whole table with each value.
    ordered : bool
        Numbers, whose distance is the number of values between; else all values are equally far apart.

    Returns
    -------
    numpy.ndarray of float, shape (classes,)
        0 to 1.
    """
    gaps = counts / counts.sum(axis=1, keepdims=True) - total / total.sum()
    if not ordered:
        return np.abs(gaps).sum(axis=1) / 2
    return np.abs(np.cumsum(gaps, axis=1)).sum(axis=1) / max(gaps.shape[1] - 1, 1)
