r"""Decision curves: is a model trained on synthetic patients still worth acting on?

Belongs here: net benefit over thresholds of risk. Does not belong here: which model, or its risks (``train_test``).

Who treats patients above the risk :math:`p_t` holds one missed event to be worth :math:`(1 - p_t) / p_t` needless
treatments. Net benefit is :math:`TP / n - FP / n \cdot p_t / (1 - p_t)`, in events found per patient.

References
----------
Vickers and Elkin, 2006, Med Decis Making 26:565.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.discrimination import percentile_interval, resampling_weights
from metrics.plain import plain
from records.errors import ParameterError

THRESHOLDS = np.round(np.arange(0.01, 0.805, 0.01), 2)
SENSIBLE = (0.05, 0.5)
BOOTSTRAPS = 200
FEWEST_ROWS = 30
SIDES = ("trtr", "tstr")


@dataclass(frozen=True)
class DecisionCurves:
    """Net benefit on the real holdout; ``None`` where it cannot be had, and ``reason`` says why.

    Parameters
    ----------
    thresholds : sequence of float
        Risks above which a patient is treated, 0.01 to 0.80.
    curves : mapping
        ``trtr``, ``tstr``, ``treat_all``, ``treat_none`` to net benefit at each threshold, in events per patient.
    range : sequence of float
        Clinically sensible thresholds, over which the losses are taken.
    largest_loss : mapping or None
        ``threshold`` with the largest loss of net benefit (TRTR less TSTR), ``loss``, and 95 % patient-bootstrap
        bounds at that threshold; as a maximum over thresholds it is above 0 by chance alone.
    mean_loss : mapping or None
        ``loss``, ``lower`` and ``upper`` of the mean over the range.
    useful : mapping
        Side to the share of sensible thresholds at which acting on the model beats treating all and treating none.
    """

    thresholds: Sequence[float]
    curves: Mapping[str, Sequence[float] | None]
    range: Sequence[float]
    rows: int
    reason: str | None
    largest_loss: Mapping[str, float] | None = None
    mean_loss: Mapping[str, float] | None = None
    useful: Mapping[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def decision_curves(
    risks: Mapping[str, np.ndarray],
    label: np.ndarray,
    *,
    rng: np.random.Generator,
    sensible: tuple[float, float] = SENSIBLE,
    bootstraps: int = BOOTSTRAPS,
) -> DecisionCurves:
    """Net benefit of the models and of treating all and none.

    Parameters
    ----------
    risks : mapping of str to numpy.ndarray of float, shape (rows,)
        ``trtr`` and ``tstr``: predicted risk of each holdout patient, 0 to 1; a side may be missing.
    label : numpy.ndarray of bool, shape (rows,)
    rng : numpy.random.Generator
        Draws the bootstrap resamples.
    sensible : tuple of float
        Lowest and highest threshold at which anybody would act.

    Raises
    ------
    ParameterError
        The range does not rise within the thresholds.
    """
    if not THRESHOLDS[0] <= sensible[0] < sensible[1] <= THRESHOLDS[-1]:
        raise ParameterError(f"sensible must rise within 0.01 to 0.8, got {sensible}; give the range clinicians use")
    if label.size < FEWEST_ROWS:
        words = f"{label.size} holdout patients are too few, at least {FEWEST_ROWS} are needed"
        return DecisionCurves(THRESHOLDS.tolist(), {}, sensible, label.size, words)
    weights = np.vstack([np.ones(label.size), resampling_weights(label.size, bootstraps, rng)])
    benefits = {side: net_benefit(risks[side], label, weights) for side in SIDES if side in risks}
    treat_all = net_benefit(np.ones(label.size), label, weights[:1])[0]
    curves = {side: benefits[side][0] if side in benefits else None for side in SIDES}
    inside = (sensible[0] - 1e-9 <= THRESHOLDS) & (sensible[1] + 1e-9 >= THRESHOLDS)
    missing = [side for side in SIDES if side not in benefits]
    return DecisionCurves(
        thresholds=THRESHOLDS.tolist(),
        curves=curves | {"treat_all": treat_all, "treat_none": np.zeros(THRESHOLDS.size)},  # type: ignore[arg-type]
        range=sensible,
        rows=label.size,
        reason=f"no model could be trained for {' and '.join(missing)}" if missing else None,
        useful={side: _useful(found[0], treat_all, inside) for side, found in benefits.items()},
        **({} if missing else _losses(benefits["trtr"] - benefits["tstr"], inside)),
    )


def net_benefit(risk: np.ndarray, label: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Net benefit of treating patients whose risk is at or above each threshold.

    Parameters
    ----------
    risk, label : numpy.ndarray, shape (rows,)
    weights : numpy.ndarray of float, shape (resamples, rows)

    Returns
    -------
    numpy.ndarray of float, shape (resamples, len(THRESHOLDS))
    """
    band = np.searchsorted(THRESHOLDS, risk, side="right")
    odds = THRESHOLDS / (1 - THRESHOLDS)
    treated = np.stack([_at_or_above(band, weights * label), _at_or_above(band, weights * ~label)])
    return (treated[0] - treated[1] * odds) / weights.sum(axis=1, keepdims=True)


def _at_or_above(band: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Total weight of the patients whose risk reaches each threshold."""
    order = np.argsort(band, kind="stable")
    totals = np.cumsum(weights[:, order], axis=1)
    before = np.searchsorted(band[order], np.arange(1, THRESHOLDS.size + 1))
    padded = np.column_stack([np.zeros(len(weights)), totals])
    return totals[:, -1:] - padded[:, before]


def _useful(benefit: np.ndarray, treat_all: np.ndarray, inside: np.ndarray) -> float:
    return float(np.mean(benefit[inside] > np.maximum(treat_all, 0.0)[inside]))


def _losses(loss: np.ndarray, inside: np.ndarray) -> dict[str, dict[str, float]]:
    """Largest and mean loss; the first row is the sample, the others its resamples."""
    known = loss[:, inside]
    at = int(np.argmax(known[0]))
    largest = percentile_interval(float(known[0, at]), known[1:, at])
    mean = percentile_interval(float(known[0].mean()), known[1:].mean(axis=1))
    return {
        "largest_loss": {
            "threshold": float(THRESHOLDS[inside][at]),
            "loss": largest.value,
            "lower": largest.lower,
            "upper": largest.upper,
        },
        "mean_loss": {"loss": mean.value, "lower": mean.lower, "upper": mean.upper},
    }
