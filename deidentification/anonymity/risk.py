"""Residual risk of re-identification from class sizes: prosecutor, journalist and marketer.

Belongs here: the three risks of a table. Does not belong here: attacks on synthetic data (``metrics``), or the picture
(``risk_plot``).

With J classes of ``f`` rows in the table and ``F`` people in the population, n rows: the prosecutor knows that the
person is in the table (1 / f), the journalist looks for anybody (1 / F), the marketer wants as many as possible
(mean of f / F). ``F`` is ``f`` times a stated multiplier; 1 takes the table for the population, which tells the risk
too high, never too low.

References
----------
El Emam (2013). Guide to the De-Identification of Personal Health Information, chapters 16-17. Dankar & El Emam (2010).
A method for evaluating marketer re-identification risk. EDBT workshops.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from records.errors import ParameterError


@dataclass(frozen=True)
class Risk:
    """Chance of re-identification, each 0 to 1.

    Parameters
    ----------
    rows, classes, smallest_class, unique : int
        Rows, classes of equal quasi-identifiers, rows of the smallest one, and rows that are alone in theirs.
    prosecutor_highest, prosecutor_average, prosecutor_at_risk : float
        Of the row at most risk, the mean row, and the share of rows whose risk is above ``threshold``.
    journalist_highest, journalist_average, journalist_at_risk : float
    marketer : float
        Share of rows expected to be re-identified.
    population_multiplier, threshold : float
    """

    rows: int
    classes: int
    smallest_class: int
    unique: int
    prosecutor_highest: float
    prosecutor_average: float
    prosecutor_at_risk: float
    journalist_highest: float
    journalist_average: float
    journalist_at_risk: float
    marketer: float
    population_multiplier: float
    threshold: float

    def to_json(self) -> dict[str, Any]:
        """The figures as plain JSON values, risks to four digits."""
        return {name: round(v, 4) if isinstance(v, float) else v for name, v in asdict(self).items()}


def people_per_patient(sampling_fraction: float | None) -> float:
    """The population's people per row, from the share of them who are in the table; 1 if it is not known.

    Raises
    ------
    ParameterError
        The share is not above 0, up to 1.
    """
    if sampling_fraction is not None and not 0 < sampling_fraction <= 1:
        raise ParameterError(
            f"the sampling fraction must lie above 0, up to 1, got {sampling_fraction:g}; give the share of the population's "
            "patients of this kind who are in the table"
        )
    return 1 / (sampling_fraction or 1)


def residual_risk(sizes: np.ndarray, *, population_multiplier: float = 1.0, threshold: float = 0.2) -> Risk:
    """Risk of a table from the sizes of its classes.

    Parameters
    ----------
    sizes : numpy.ndarray of int, shape (classes,)
        Rows of each class; none for an empty table, whose risk is 0.
    population_multiplier : float
        People per row, at least 1.
    threshold : float
        Risk above which a row counts as at risk, 0 < threshold <= 1.

    Raises
    ------
    ParameterError
        ``population_multiplier`` or ``threshold`` is out of range.
    """
    if population_multiplier < 1:
        raise ParameterError(
            f"the population multiplier must be at least 1, got {population_multiplier:g}; give people per patient"
        )
    if not 0 < threshold <= 1:
        raise ParameterError(f"the threshold of risk must lie above 0, up to 1, got {threshold:g}; give 0.2")
    rows, inside = int(sizes.sum()), np.asarray(sizes, dtype=float)
    people = inside * population_multiplier
    if not rows:
        return Risk(0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, population_multiplier, threshold)
    matched = float((inside / people).sum() / rows)
    return Risk(
        rows=rows, classes=len(sizes), smallest_class=int(sizes.min()), unique=int((sizes == 1).sum()),
        prosecutor_highest=float(1 / inside.min()), prosecutor_average=len(sizes) / rows,
        prosecutor_at_risk=_share(inside, 1 / inside > threshold),
        journalist_highest=float(1 / people.min()), journalist_average=max(len(sizes) / float(people.sum()), matched),
        journalist_at_risk=_share(inside, 1 / people > threshold), marketer=matched,
        population_multiplier=population_multiplier, threshold=threshold,
    )  # fmt: skip


def _share(rows: np.ndarray, chosen: np.ndarray) -> float:
    return float(rows[chosen].sum() / rows.sum())
