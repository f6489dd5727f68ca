"""The privacy report of a synthetic table that the gate reads: can it be told who was in the training data?

Belongs here: the report of the density-ratio attack, copies, and the distance to the closest record as information.
Does not belong here: the attacks themselves (one file each), their worst case (``suite``), the guarantee
(differential privacy, ``models``) or the decision (``gate``). An attack that fails proves nothing by itself; it can
only find a leak.

Members are training patients, non-members holdout patients. The split into train and holdout must be random, or a
difference of populations is taken for membership.

References
----------
Carlini et al., 2022, IEEE S&P (TPR at low FPR). Yao et al., 2025, "The DCR Delusion", ESORICS (distance to closest
record does not measure privacy).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from metrics.attacks.candidates import MOST_SYNTHETIC, draw_rows, subsampling, too_few
from metrics.attacks.copies import copies
from metrics.attacks.cross_fitting import cross_fitted
from metrics.attacks.density_ratio import density_ratio
from metrics.attacks.low_false_positives import threshold
from metrics.candidate import candidate_hash
from metrics.discrimination import clopper_pearson, delong, roc_on_grid
from metrics.distance import Points, compared_columns, nearest, points, rank_scales
from metrics.plain import plain
from records.schema import Schema

MOST_CANDIDATES = 2000
FALSE_POSITIVE_RATES = (0.01, 0.05)
DCR_NOTE = "for information only: the distance to the closest record does not measure privacy and never certifies"


@dataclass(frozen=True)
class PrivacyReport:
    """Aggregates only; attack figures are ``None`` where the attack could not run, and ``reason`` says why.

    Parameters
    ----------
    auc, auc_lower, auc_upper : float or None
        Membership attack, DeLong's 95 % interval; 0.5 is guessing.
    smallest_detectable_auc : float or None
        True AUC that would be told from 0.5 in 8 of 10 repetitions with so many candidates.
    tpr_at_fpr : list of dict
        Members found (``tpr`` with Clopper-Pearson bounds) at false positive rates 1 % and 5 %.
    candidates : mapping
        ``members``, ``non_members``, ``reference`` (per half) and ``synthetic`` rows used.
    exact_copies_train, exact_copies_holdout : float
        Share of synthetic rows equal to a train (holdout) row in every column.
    exact_copies_chance : float
        Share expected without copying: the larger of holdout rows found in train and synthetic rows found in holdout.
    exact_copies_excess : float
        ``exact_copies_train - exact_copies_chance``, at least 0.
    near_copies_train, near_copies_chance, near_copies_excess : float
        The same for rows that agree in all columns but at most one, see ``copies``.
    """

    candidate_sha256: str
    reason: str | None
    candidates: Mapping[str, int]
    subsampled: str | None
    exact_copies_train: float | None
    exact_copies_holdout: float | None
    exact_copies_chance: float | None
    exact_copies_excess: float | None
    near_copies_train: float | None
    near_copies_lower: float | None
    near_copies_upper: float | None
    near_copies_holdout: float | None
    near_copies_chance: float | None
    near_copies_excess: float | None
    near_copies_rows: int
    distance_to_closest_record: Mapping[str, Any]
    auc: float | None = None
    auc_lower: float | None = None
    auc_upper: float | None = None
    smallest_detectable_auc: float | None = None
    tpr_at_fpr: Sequence[Mapping[str, float]] = ()
    roc: Mapping[str, Sequence[float]] | None = None
    attack: str = field(default="density ratio of nearest neighbours, Gower distance on ranks, cross-fitted reference")

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def privacy(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    candidate_sha256: str | None = None,
) -> PrivacyReport:
    """Attack a synthetic table.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored. ``train`` is what the synthesizer saw, ``holdout`` a random sample
        of the same population that it did not see.
    rng : numpy.random.Generator
        Draws candidates and halves.
    candidate_sha256 : str or None
        Hash of the candidate's file; by default the hash of ``synthetic`` itself.
    """
    tables = {"members": train, "non_members": holdout, "synthetic": synthetic}
    size = min(train.height, holdout.height, MOST_CANDIDATES)
    sizes = {"members": size, "non_members": size, "synthetic": min(synthetic.height, MOST_SYNTHETIC)}
    drawn = {name: table[draw_rows(table.height, sizes[name], rng)] for name, table in tables.items()}
    columns = compared_columns(schema)
    scales = rank_scales(synthetic, columns)
    sets = {name: points(frame, columns, scales) for name, frame in drawn.items()}
    reason = too_few(size, synthetic.height)
    return PrivacyReport(
        candidate_sha256=candidate_hash(synthetic, candidate_sha256),
        reason=reason,
        candidates={**sizes, "reference": size // 2},
        subsampled=subsampling(tables, sizes),
        **vars(copies(train, holdout, synthetic, schema, rng=rng)),
        distance_to_closest_record=_closest(sets) if reason is None else {"note": DCR_NOTE},
        **(_attack(sets) if reason is None else {}),
    )


def _attack(sets: Mapping[str, Points]) -> dict[str, Any]:
    members, others = cross_fitted(density_ratio, sets["members"], sets["non_members"], sets["synthetic"])
    score = np.concatenate([members, others])
    label = np.arange(len(score)) < len(members)
    area = delong(score, label)
    return {
        "auc": area.value,
        "auc_lower": area.lower,
        "auc_upper": area.upper,
        "smallest_detectable_auc": detectable_auc(len(members), len(others)),
        "tpr_at_fpr": [_found(members, others, rate) for rate in FALSE_POSITIVE_RATES],
        "roc": roc_on_grid(score, label),
    }


def detectable_auc(cases: int, controls: int) -> float:
    """Smallest true AUC found with power 0.8 at two-sided level 0.05, by the null variance of Mann and Whitney."""
    spread = np.sqrt((cases + controls + 1) / (12 * cases * controls))
    return float(min(1.0, 0.5 + (1.959964 + 0.841621) * spread))


def _found(members: np.ndarray, others: np.ndarray, rate: float) -> dict[str, float]:
    """Members above the threshold that at most ``rate`` of the non-members exceed."""
    share = clopper_pearson(int((members > threshold(others, rate)).sum()), len(members))
    return {"fpr": rate, "tpr": share.value, "lower": share.lower, "upper": share.upper}


def _closest(sets: Mapping[str, Points]) -> dict[str, Any]:
    """Median distance to the closest record, with the real holdout for comparison."""
    sample = sets["synthetic"][slice(None, sets["members"].rows)]
    return {
        "synthetic_to_train": float(np.median(nearest(sample, sets["members"]))),
        "synthetic_to_holdout": float(np.median(nearest(sample, sets["non_members"]))),
        "holdout_to_train": float(np.median(nearest(sets["non_members"], sets["members"]))),
        "note": DCR_NOTE,
    }
