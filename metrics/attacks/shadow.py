"""Shadow-model membership: could an attacker who knows the synthesizer tell who was in its training data?

Belongs here: refitting the synthesizer with and without targets and reporting how well they are told apart. Does not
belong here: attacks on one release (``suite``), the queries (``shadow_features``) or the statistics
(``likelihood_ratio``).

This attacks the synthesizer, with its settings and a training table of half the size, and not the release at hand: it
says what releases of this kind give away on average, to an attacker who knows everything but the target's membership.
It is the strongest black-box attack known, and finds leaks that no single release shows. It spends no privacy budget,
because the synthetic tables are looked at and dropped: nothing but the report's aggregates leaves.

References
----------
Carlini et al., 2022, IEEE S&P (LiRA). Stadler, Oprisanu and Troncoso, 2022, USENIX Security. Houssiau et al., 2022,
arXiv:2211.06550 (TAPAS). Meeus et al., 2023, ESORICS (choice of targets).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.attacks.averaged_auc import score_interval
from metrics.attacks.candidates import draw_rows
from metrics.attacks.likelihood_ratio import likelihood_ratios, shadow_auc
from metrics.attacks.low_false_positives import FALSE_POSITIVE_RATES, threshold
from metrics.attacks.shadow_features import Targets, queries, targets_in
from metrics.attacks.vulnerable import isolation
from metrics.distance import compared_columns, points, rank_scales
from metrics.plain import plain
from records.errors import ParameterError
from records.schema import Schema

Refit = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]
Progress = Callable[[float], None]
CHOICES = ("most vulnerable", "random")
FEWEST_SHADOWS, FEWEST_ROWS = 8, 20
MOST_CONSIDERED, MOST_REFERENCE = 5000, 1000
NOTE = (
    "attacks the synthesizer refitted on halves of the training table, not this release; spends no privacy budget, "
    "because no table of the attack leaves"
)


@dataclass(frozen=True)
class ShadowReport:
    """Aggregates only.

    Parameters
    ----------
    shadows, targets, rows_per_fit : int
        Fits, patients attacked, and training rows of each fit; every target is in half of the fits.
    chosen : str
        ``most vulnerable`` (most isolated of ``considered`` random patients) or ``random``.
    auc, auc_lower, auc_upper : float
        Over targets and fits, with the jackknife's 95 % interval over pairs of fits; 0.5 is guessing.
    tpr_at_fpr : sequence of dict
        ``fpr``, ``tpr``, ``lower``, ``upper``, ``reason``; bounds from the spread between pairs of fits.
    """

    shadows: int
    targets: int
    chosen: str
    considered: int
    rows_per_fit: int
    auc: float
    auc_lower: float
    auc_upper: float
    tpr_at_fpr: Sequence[Mapping[str, Any]]
    note: str = NOTE

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def shadow(
    train: pl.DataFrame,
    schema: Schema,
    refit: Refit,
    *,
    shadows: int = 64,
    targets: int = 100,
    choose: str = "most vulnerable",
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> ShadowReport:
    """Refit a synthesizer on random halves of a table and tell its patients by the synthetic tables.

    Parameters
    ----------
    train : polars.DataFrame
        Pool of patients, in schema form.
    refit : callable
        Training table and generator to a synthetic table of as many rows; called ``shadows`` times.
    shadows : int
        Fits, an even number of at least 8; 64 tell an AUC of 0.55 from guessing.
    targets : int
        Patients attacked, at least 1; all of the table if it has fewer.
    choose : {"most vulnerable", "random"}
    rng : numpy.random.Generator
    progress : callable or None
        Told the share of fits done, 0 to 1.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or ``refit`` returns no rows.
    """
    _check(train, shadows, targets, choose)
    considered = draw_rows(train.height, MOST_CONSIDERED, rng)
    rows = _chosen(train, schema, considered, targets, choose)
    attacked = targets_in(train, rows, compared_columns(schema), considered[:MOST_REFERENCE])
    answers = _answers(train, refit, attacked, rows, shadows, rng, progress or (lambda share: None))
    area = shadow_auc(*answers)
    found, wrong = likelihood_ratios(*answers)
    return ShadowReport(
        shadows=shadows,
        targets=len(rows),
        chosen=choose,
        considered=len(considered),
        rows_per_fit=train.height // 2,
        auc=area.value,
        auc_lower=area.lower,
        auc_upper=area.upper,
        tpr_at_fpr=[_found(found, wrong, rate) for rate in FALSE_POSITIVE_RATES],
    )


def _check(train: pl.DataFrame, shadows: int, targets: int, choose: str) -> None:
    if train.height < FEWEST_ROWS:
        raise ParameterError(f"the table must have at least {FEWEST_ROWS} rows, got {train.height}; use a larger one")
    if shadows < FEWEST_SHADOWS or shadows % 2:
        raise ParameterError(f"shadows must be even and at least {FEWEST_SHADOWS}, got {shadows}; 64 are usual")
    if targets < 1:
        raise ParameterError(f"targets must be at least 1, got {targets}; 100 are usual")
    if choose not in CHOICES:
        raise ParameterError(f"choose must be one of {', '.join(CHOICES)}, got {choose}; mend the spelling")


def _chosen(train: pl.DataFrame, schema: Schema, considered: np.ndarray, targets: int, choose: str) -> np.ndarray:
    """Row numbers of the targets, shape (targets,)."""
    if choose == "random":
        return considered[:targets]
    columns, pool = compared_columns(schema), train[considered]
    apart = isolation(points(pool, columns, rank_scales(pool, columns)))
    return considered[np.argsort(-apart, kind="stable")[:targets]]


def _answers(
    train: pl.DataFrame, refit: Refit, attacked: Targets, rows: np.ndarray, shadows: int, rng: np.random.Generator,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Answers of the fits with and without each target, each of shape (pairs, targets, queries)."""
    inside, outside = [], []
    for pair in range(shadows // 2):
        order = rng.permutation(train.height)
        first, second = order[: train.height // 2], order[train.height // 2 :]
        with_first, with_second = (_answer(train[half], refit, attacked, rng) for half in (first, second))
        held = np.isin(rows, first)[:, None]
        inside.append(np.where(held, with_first, with_second))
        outside.append(np.where(held, with_second, with_first))
        progress((pair + 1) / (shadows // 2))
    return np.stack(inside), np.stack(outside)


def _answer(half: pl.DataFrame, refit: Refit, attacked: Targets, rng: np.random.Generator) -> np.ndarray:
    made = refit(half, rng.spawn(1)[0])
    if made.is_empty():
        raise ParameterError("refit must return synthetic rows, got none; return as many as it was given")
    return queries(made, attacked)


def _found(found: np.ndarray, wrong: np.ndarray, rate: float) -> dict[str, Any]:
    """Members above the threshold that at most ``rate`` of the non-members exceed, over pairs of fits."""
    if wrong.size * rate < 1:
        reason = f"{wrong.size} scores of non-members are too few, at least {round(1 / rate)} are needed"
        return {"fpr": rate, "tpr": None, "lower": None, "upper": None, "reason": reason}
    shares = (found > threshold(wrong.ravel(), rate)).mean(axis=1)
    variance = float(shares.var(ddof=1)) / len(shares)
    share = score_interval(
        float(shares.mean()), variance, most=found.size, fewest=len(shares), freedom=len(shares) - 1, level=0.95
    )
    return {"fpr": rate, "tpr": share.value, "lower": share.lower, "upper": share.upper, "reason": None}
