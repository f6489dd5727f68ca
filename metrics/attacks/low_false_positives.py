"""Members found while almost nobody is wrongly accused: what an average such as the AUC hides.

Belongs here: true positive rates at fixed false positive rates. Does not belong here: the scores.

References
----------
Carlini et al., 2022, IEEE S&P (TPR at low FPR). Clopper and Pearson, 1934, Biometrika 26:404.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metrics.attacks.averaged_auc import ScoredDraw
from metrics.discrimination import clopper_pearson

FALSE_POSITIVE_RATES = (0.001, 0.01, 0.05)


def members_found(draws: Sequence[ScoredDraw], rate: float) -> dict[str, Any]:
    """Members above the threshold that at most ``rate`` of the controls exceed, on average over the draws.

    The Clopper-Pearson bounds are those of one draw, its hits rounded outwards: wide enough for the average, whose
    draws share patients. They hold for the threshold found, whose own luck they leave out.

    Returns
    -------
    dict
        ``fpr``, ``tpr``, ``lower``, ``upper`` and ``reason``; figures are ``None`` with fewer controls than
        ``1 / rate``, since a threshold below one control cannot be found.
    """
    members, controls = (min(len(s) for s in scores) for scores in _scores(draws))
    if controls * rate < 1:
        reason = f"{controls} controls are too few, at least {round(1 / rate)} are needed"
        return {"fpr": rate, "tpr": None, "lower": None, "upper": None, "reason": reason}
    share = float(np.mean([_share_found(d, rate) for d in draws]))
    hits = round(share * members, 6)
    lower = clopper_pearson(int(np.floor(hits)), members).lower
    upper = clopper_pearson(int(np.ceil(hits)), members).upper
    return {"fpr": rate, "tpr": share, "lower": lower, "upper": upper, "reason": None}


def _scores(draws: Sequence[ScoredDraw]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [d.member_scores for d in draws], [d.control_scores for d in draws]


def _share_found(draw: ScoredDraw, rate: float) -> float:
    """Share of members above the threshold."""
    return float((draw.member_scores > threshold(draw.control_scores, rate)).mean())


def threshold(controls: np.ndarray, rate: float) -> float:
    """The score that at most ``rate`` of the controls exceed."""
    return float(np.sort(controls)[::-1][int(np.floor(rate * len(controls) + 1e-9))])
