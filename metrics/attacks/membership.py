"""Privacy attacks on a synthetic table: can it be told who was in the training data?

Belongs here: the density-ratio membership attack, exact copies, and the distance to the closest record as
information. Does not belong here: the guarantee (differential privacy, ``models``) or the decision (``gate``). An
attack that fails proves nothing by itself; it can only find a leak.

The attack (of the DOMIAS kind) scores a patient by ``log(distance to the real reference / distance to the nearest
synthetic patient)``: overfitting shows where synthetic patients are nearer than the population explains. One synthetic
neighbour and the mean of five real ones were the strongest of the choices tried on noisy copies of a real cohort.
Members are training patients, non-members holdout patients. The holdout is cut in halves; each half is the attacker's
reference for the other, so all holdout patients are used and none is its own reference. The split into train and
holdout must be random, or a difference of populations is taken for membership.

References
----------
van Breugel et al., 2023, AISTATS (DOMIAS). Carlini et al., 2022, IEEE S&P (TPR at low FPR). Yao et al., 2025, "The
DCR Delusion", ESORICS (distance to closest record does not measure privacy).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from metrics.candidate import candidate_hash
from metrics.discrimination import clopper_pearson, delong, roc_on_grid
from metrics.distance import Points, compared_columns, nearest, points, rank_scales
from metrics.plain import plain
from records.schema import Column, Schema

MOST_CANDIDATES = 2000
MOST_SYNTHETIC = 20_000
FEWEST_CANDIDATES = 10
REFERENCE_NEIGHBOURS = 5
SMALLEST_DISTANCE = 1e-3
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
    """

    candidate_sha256: str
    reason: str | None
    candidates: Mapping[str, int]
    subsampled: str | None
    exact_copies_train: float | None
    exact_copies_holdout: float | None
    exact_copies_chance: float | None
    exact_copies_excess: float | None
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
    columns = compared_columns(schema)
    size = min(train.height, holdout.height, MOST_CANDIDATES)
    drawn = {
        "members": _draw(train, size, rng),
        "non_members": _draw(holdout, size, rng),
        "synthetic": _draw(synthetic, min(synthetic.height, MOST_SYNTHETIC), rng),
    }
    scales = rank_scales(synthetic, columns)
    sets = {name: points(frame, columns, scales) for name, frame in drawn.items()}
    reason = _reason(size, synthetic.height)
    return PrivacyReport(
        candidate_sha256=candidate_hash(synthetic, candidate_sha256),
        reason=reason,
        candidates={**{name: frame.height for name, frame in drawn.items()}, "reference": size // 2},
        subsampled=_subsampling(train, holdout, synthetic, drawn),
        **_copies(train, holdout, synthetic, columns),
        distance_to_closest_record=_closest(sets) if reason is None else {"note": DCR_NOTE},
        **(_attack(sets) if reason is None else {}),
    )


def _draw(frame: pl.DataFrame, size: int, rng: np.random.Generator) -> pl.DataFrame:
    return frame[rng.permutation(frame.height)[:size]]


def _reason(size: int, synthetic: int) -> str | None:
    if synthetic == 0:
        return "the synthetic table has no row"
    too_few = size < FEWEST_CANDIDATES
    return f"{size} candidates are too few for an attack, at least {FEWEST_CANDIDATES} are needed" if too_few else None


def _subsampling(
    train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, drawn: Mapping[str, pl.DataFrame]
) -> str | None:
    """What was drawn at random, in words; ``None`` if everything was used."""
    totals = {"members": train.height, "non_members": holdout.height, "synthetic": synthetic.height}
    used = {name: frame.height for name, frame in drawn.items()}
    cut = [f"{used[n]} of {total} {n.replace('_', '-')}" for n, total in totals.items() if used[n] < total]
    return f"drawn at random: {', '.join(cut)}" if cut else None


def _attack(sets: Mapping[str, Points]) -> dict[str, Any]:
    members, others = _scores(sets)
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


def _scores(sets: Mapping[str, Points]) -> tuple[np.ndarray, np.ndarray]:
    """Attack scores of members and non-members, each half against the reference that excludes it."""
    half = sets["non_members"].rows // 2
    halves = (slice(None, half), slice(half, None))
    scored = {"members": [], "non_members": []}
    for own, reference in (halves, halves[::-1]):
        for name, parts in scored.items():
            parts.append(_score(sets[name][own], sets["synthetic"], sets["non_members"][reference]))
    return np.concatenate(scored["members"]), np.concatenate(scored["non_members"])


def _score(candidates: Points, synthetic: Points, reference: Points) -> np.ndarray:
    near_real = nearest(candidates, reference, neighbours=REFERENCE_NEIGHBOURS) + SMALLEST_DISTANCE
    return np.log(near_real / (nearest(candidates, synthetic) + SMALLEST_DISTANCE))


def detectable_auc(cases: int, controls: int) -> float:
    """Smallest true AUC found with power 0.8 at two-sided level 0.05, by the null variance of Mann and Whitney."""
    spread = np.sqrt((cases + controls + 1) / (12 * cases * controls))
    return float(min(1.0, 0.5 + (1.959964 + 0.841621) * spread))


def _found(members: np.ndarray, others: np.ndarray, rate: float) -> dict[str, float]:
    """Members above the threshold that at most ``rate`` of the non-members exceed."""
    threshold = np.sort(others)[::-1][int(np.floor(rate * len(others)))]
    share = clopper_pearson(int((members > threshold).sum()), len(members))
    return {"fpr": rate, "tpr": share.value, "lower": share.lower, "upper": share.upper}


def _copies(
    train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, columns: Sequence[Column]
) -> dict[str, float]:
    in_train, in_holdout = _share_in(synthetic, train, columns), _share_in(synthetic, holdout, columns)
    chance = max(_share_in(holdout, train, columns), in_holdout)
    return {
        "exact_copies_train": in_train,
        "exact_copies_holdout": in_holdout,
        "exact_copies_chance": chance,
        "exact_copies_excess": max(0.0, in_train - chance) if synthetic.height else float("nan"),
    }


def _share_in(rows: pl.DataFrame, table: pl.DataFrame, columns: Sequence[Column]) -> float:
    """Share of ``rows`` that occur in ``table``, missing equal to missing."""
    if rows.is_empty():
        return float("nan")
    names, typed = [c.name for c in columns], [pl.col(c.name).cast(c.dtype) for c in columns]
    known = table.select(typed).unique()
    return rows.select(typed).join(known, on=names, how="semi", nulls_equal=True).height / rows.height


def _closest(sets: Mapping[str, Points]) -> dict[str, Any]:
    """Median distance to the closest record, with the real holdout for comparison."""
    sample = sets["synthetic"][slice(None, sets["members"].rows)]
    return {
        "synthetic_to_train": float(np.median(nearest(sample, sets["members"]))),
        "synthetic_to_holdout": float(np.median(nearest(sample, sets["non_members"]))),
        "holdout_to_train": float(np.median(nearest(sets["non_members"], sets["members"]))),
        "note": DCR_NOTE,
    }
