"""Audit of a mechanism: an empirical lower bound on its epsilon, from runs with and without one patient.

Belongs here: bounds from scores of both worlds, and the verdict on a claim. Does not belong here: mechanisms, which
come in as callables, or worst-case patients (``canaries``).

Under (epsilon, delta)-differential privacy ``P(E) <= exp(epsilon) Q(E) + delta`` for every event, P and Q being the
two worlds in either order. The event (a threshold on the score, its side, the order) is chosen on the first half of
the runs; on the second half Clopper-Pearson bounds of ``P(E)`` from below and ``Q(E)`` from above give the bound. It
holds with the stated confidence whatever the mechanism. A bound below the claim proves nothing: the attack may be weak.

With few runs no event is rare enough to show a large epsilon at a small delta. The second bound therefore assumes that
the claim is one of mu-Gaussian differential privacy, as for Gaussian noise. Then no score has an AUC above
``Phi(mu / sqrt(2))``, so that DeLong's lower bound of the AUC of all runs bounds mu from below, and mu gives epsilon at
any delta. It needs far fewer runs, holds for many runs only, and is wrong if the assumption is.

References
----------
Jagielski, Ullman and Oprea, 2020, NeurIPS. Nasr et al., 2023, Tight Auditing of Differentially Private Machine
Learning, USENIX Security. Dong, Roth and Su, 2022, JRSS B 84:3 (Gaussian DP, Corollary 1). Clopper and Pearson, 1934.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
from scipy.stats import beta

from metrics.attacks.gaussian_dp import gaussian_epsilon, gaussian_mu
from metrics.plain import plain
from records.errors import ParameterError

Run = Callable[[bool, np.random.Generator], float]
ASSUMPTION = "the mechanism's trade-off curve is that of mu-Gaussian differential privacy"
FEWEST_TRIALS = 20
# The best of many events on the first half is partly luck: rare events must convince more to be chosen.
CHOICE_CONFIDENCE = 0.9999
MOST_THRESHOLDS = 4000
SMALLEST = 1e-300


@dataclass(frozen=True)
class AuditReport:
    """What the runs prove about a claim.

    Parameters
    ----------
    claimed_epsilon, delta, confidence : float
    trials : int
        Runs in each world; half choose the event, half bound it.
    epsilon_lower : float
        With ``confidence``, epsilon at ``delta`` is at least this; at least 0. No assumption.
    violated : bool
        ``epsilon_lower`` exceeds the claim.
    verdict : {"violated", "not refuted"}
    event : str
        The event chosen, in words.
    event_probability_lower, event_probability_upper : float
        Bounds behind ``epsilon_lower``: of the event in the world where it is likelier, and in the other.
    gaussian_mu_lower, gaussian_epsilon_lower : float
        The same under ``gaussian_assumption``.
    gaussian_violated : bool
        ``gaussian_epsilon_lower`` exceeds the claim: a reason to look, a proof only under the assumption.
    """

    claimed_epsilon: float
    delta: float
    confidence: float
    trials: int
    epsilon_lower: float
    violated: bool
    verdict: str
    event: str
    event_probability_lower: float
    event_probability_upper: float
    gaussian_mu_lower: float
    gaussian_epsilon_lower: float
    gaussian_violated: bool
    gaussian_assumption: str = ASSUMPTION

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def audit(
    run: Run,
    *,
    claimed_epsilon: float,
    delta: float,
    trials: int,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> AuditReport:
    """Run a mechanism on two neighbouring tables and bound its epsilon from below.

    Parameters
    ----------
    run : callable
        ``run(with_canary, rng)`` runs the mechanism once, with or without the canary patient, and scores the output:
        the larger, the more it looks like the canary was there. Any score is allowed; a good one gives a good bound.
    claimed_epsilon, delta : float
        The claim. A mechanism that claims several pairs (zCDP does) may be audited at each; a larger delta needs
        fewer runs.
    trials : int
        Runs in each world.
    confidence : float
        One-sided, of the bound.
    rng : numpy.random.Generator
        Handed to ``run``.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or a score is not a number.
    """
    _refuse(trials, delta, confidence)
    scores = [np.array([run(world, rng) for _ in range(trials)], dtype=float) for world in (True, False)]
    return audit_scores(*scores, claimed_epsilon=claimed_epsilon, delta=delta, confidence=confidence)


def audit_scores(
    with_canary: np.ndarray,
    without: np.ndarray,
    *,
    claimed_epsilon: float,
    delta: float,
    confidence: float = 0.95,
) -> AuditReport:
    """Bound epsilon from the scores of independent runs, in the order in which they were run.

    Parameters
    ----------
    with_canary, without : numpy.ndarray of float, shape (trials,)

    Raises
    ------
    ParameterError
        See ``audit``.
    """
    trials = min(len(with_canary), len(without))
    _refuse(trials, delta, confidence)
    worlds = np.stack([with_canary[:trials], without[:trials]])
    if np.isnan(worlds).any():
        raise ParameterError(f"scores must be numbers, got {int(np.isnan(worlds).sum())} that are not; mend the score")
    first, second = worlds[:, : trials // 2], worlds[:, trials // 2 :]
    chosen = _choose(first, delta)
    low, high = _bounds(second, chosen, confidence)
    bound = max(0.0, log((low - delta) / high)) if low > delta else 0.0
    mu = gaussian_mu(*worlds, confidence=confidence)
    under_assumption = gaussian_epsilon(mu, delta)
    return AuditReport(
        claimed_epsilon=claimed_epsilon,
        delta=delta,
        confidence=confidence,
        trials=trials,
        epsilon_lower=bound,
        violated=bound > claimed_epsilon,
        verdict="violated" if bound > claimed_epsilon else "not refuted",
        event=str(chosen),
        event_probability_lower=low,
        event_probability_upper=high,
        gaussian_mu_lower=mu,
        gaussian_epsilon_lower=under_assumption,
        gaussian_violated=under_assumption > claimed_epsilon,
    )


@dataclass(frozen=True)
class _Event:
    """``score >= threshold`` or its complement, and whether it is likelier with the canary."""

    threshold: float
    above: bool
    with_canary: bool

    def __str__(self) -> str:
        side = ">=" if self.above else "<"
        return f"score {side} {self.threshold:g}, likelier {'with' if self.with_canary else 'without'} the canary"

    def hits(self, scores: np.ndarray) -> int:
        above = int((scores >= self.threshold).sum())
        return above if self.above else len(scores) - above


def _choose(worlds: np.ndarray, delta: float) -> _Event:
    """The event with the largest lower bound of epsilon on these runs."""
    thresholds = _thresholds(worlds)
    trials = worlds.shape[1]
    above = [trials - np.searchsorted(np.sort(scores), thresholds, side="left") for scores in worlds]
    best, found = -np.inf, _Event(float(thresholds[0]), True, True)
    for event in (replace(found, above=a, with_canary=w) for a in (True, False) for w in (True, False)):
        likelier, other = (above if event.above else [trials - a for a in above])[:: 1 if event.with_canary else -1]
        low, high = _lower(likelier, trials, CHOICE_CONFIDENCE), _upper(other, trials, CHOICE_CONFIDENCE)
        gains = np.log(np.maximum(low - delta, SMALLEST) / high)
        at = int(np.argmax(gains))
        if gains[at] > best:
            best, found = float(gains[at]), replace(event, threshold=float(thresholds[at]))
    return found


def _thresholds(worlds: np.ndarray) -> np.ndarray:
    """Scores to cut at: all, or of many the ends and an even choice between, since rare events lie at the ends."""
    scores = np.unique(worlds)
    end = MOST_THRESHOLDS // 4
    if len(scores) <= MOST_THRESHOLDS:
        return scores
    return np.concatenate(
        [scores[:end], scores[np.linspace(end, len(scores) - end - 1, 2 * end).astype(int)], scores[-end:]]
    )


def _bounds(worlds: np.ndarray, event: _Event, confidence: float) -> tuple[float, float]:
    """Lower bound of the event where it is likelier, and upper bound in the other world; they hold together."""
    likelier, other = worlds[:: 1 if event.with_canary else -1]
    hits = np.array([event.hits(likelier)]), np.array([event.hits(other)])
    return float(_lower(hits[0], len(likelier), confidence)[0]), float(_upper(hits[1], len(other), confidence)[0])


def _lower(hits: np.ndarray, trials: int, confidence: float) -> np.ndarray:
    return np.where(hits > 0, beta.ppf((1 - confidence) / 2, np.maximum(hits, 1), trials - hits + 1), 0.0)


def _upper(hits: np.ndarray, trials: int, confidence: float) -> np.ndarray:
    return np.where(hits < trials, beta.ppf((1 + confidence) / 2, hits + 1, np.maximum(trials - hits, 1)), 1.0)


def _refuse(trials: int, delta: float, confidence: float) -> None:
    if trials < FEWEST_TRIALS:
        raise ParameterError(f"trials must be at least {FEWEST_TRIALS}, got {trials}; run a few thousand")
    if not 0 <= delta < 1:
        raise ParameterError(f"delta must lie between 0 and 1, got {delta}; choose for instance 1e-5")
    if not 0.5 <= confidence < 1:
        raise ParameterError(f"confidence must lie between 0.5 and 1, got {confidence}; choose for instance 0.95")
