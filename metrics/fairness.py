"""Fairness: is the synthetic table as good for every subgroup of patients as for all?

Belongs here: representation, fidelity, utility and calibration of each subgroup, and the worst known loss. Does not
belong here: which groups there are (``utility.subgroups``), training (``utility.train_test``), or limits (``gate``).

A group of fewer than 30 holdout patients, or with fewer than 10 events or non-events, is unknown: a small group is never
called fair. The worst of many groups is worse than all by chance too, so its interval is shown. Real counts are rounded
to multiples of 5, and shares and ratios are those of the rounded counts.

References
----------
Van Calster et al., 2019, BMC Med 17:230 (calibration in the large). Katz et al., 1978, Biometrics 34:469 (ratio of
shares).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.discrimination import Z95, auc, percentile_interval, resampling_weights, weighted_aucs
from metrics.plain import plain
from metrics.utility.subgroups import Subgroup, groups_of, subgroups
from metrics.utility.train_test import TrainTest
from records.discretisation import discrete_columns, encode, value_levels
from records.outcome import binary_outcome
from records.schema import Column, Outcome, Role, Schema

FEWEST_ROWS = 30
FEWEST_OF_CLASS = 10
BOOTSTRAPS = 200
ROUNDING = 5


@dataclass(frozen=True)
class FairnessReport:
    """Aggregates only; ``None`` where it cannot be had, and ``reason`` says why.

    Parameters
    ----------
    groups : sequence of mapping
        ``column``, ``column_label``, ``group``, ``known``, ``reason``; ``counts`` of train, holdout and synthetic rows
        and of holdout events (real ones rounded to 5); ``representation``: ``real`` and ``synthetic`` share, ``ratio``
        with ``lower`` and ``upper``; ``fidelity``: mean one-way total variation to the training patients of the group
        of ``synthetic``, of ``synthetic_matched`` (cut to the holdout's size) and of ``holdout``; ``utility``:
        ``trtr_auc``, ``tstr_auc``, ``loss`` and ``calibration_in_the_large`` (mean predicted less observed risk of the
        model trained on synthetic), each with ``_lower`` and ``_upper``.
    worst : mapping or None
        The known group with the largest loss: ``column``, ``group``, ``loss``, ``lower``, ``upper``.
    known, unknown : int
        Numbers of groups.
    plain : str
        In words.
    """

    groups: Sequence[Mapping[str, Any]]
    worst: Mapping[str, Any] | None
    known: int
    unknown: int
    plain: str
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def fairness(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    outcome: Outcome,
    trained: TrainTest,
    *,
    rng: np.random.Generator,
    bootstraps: int = BOOTSTRAPS,
    site: Column | None = None,
) -> FairnessReport:
    """Measure every subgroup.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored.
    trained : TrainTest
        Models trained on these tables for ``outcome``.
    rng : numpy.random.Generator
        Draws resamples and matched samples.
    site : Column or None
        A column that the real tables carry and the synthetic one does not, since sites are not released: its groups
        have utility, but neither representation nor fidelity.
    """
    names = [*schema.names, *([site.name] if site else [])]
    real = pl.concat([train.select(names), holdout.select(names)])
    wanted = subgroups(schema, real) + (groups_of(site, real) if site else [])
    if not wanted:
        return FairnessReport([], None, 0, 0, NOTHING, NOTHING)
    tables = {"train": train, "holdout": holdout, "synthetic": synthetic}
    columns = [c for c in discrete_columns(schema) if c.role is not Role.IDENTIFIER]
    codes = {name: encode(frame, columns) for name, frame in tables.items()}
    known_label = binary_outcome(holdout, schema, outcome).is_not_null().to_numpy()
    groups = []
    for group in wanted:
        inside = {name: group.members(frame) for name, frame in tables.items() if group.column.name in frame.columns}
        kept = [i for i, c in enumerate(columns) if c.name != group.column.name]
        parts = {name: codes[name][inside[name]][:, kept] for name in inside}
        levels = [value_levels(columns[i]) + 1 for i in kept]
        groups.append(
            _described(group, inside, inside["holdout"][known_label], trained)
            | {"fidelity": _fidelity(parts, levels, rng)}
            | {"utility": _utility(trained, inside["holdout"][known_label], bootstraps, rng)}
        )
    return _report(groups)


NOTHING = "No subgroup could be formed: the schema has no quasi-identifier and no site."


def _described(
    group: Subgroup, inside: Mapping[str, np.ndarray], tested: np.ndarray, trained: TrainTest
) -> dict[str, Any]:
    counts = {name: int(members.sum()) for name, members in inside.items()}
    totals = {name: members.size for name, members in inside.items()}
    shown = {name: _rounded(count) if name != "synthetic" else count for name, count in counts.items()}
    reason = _reason(tested, trained)
    return {
        "column": group.column.name,
        "column_label": group.column.label,
        "group": group.label,
        "known": reason is None,
        "reason": reason,
        "counts": shown | {"holdout_events": _rounded(int(trained.test.label[tested].sum()))},
        "representation": _representation(
            shown["train"], totals["train"], shown.get("synthetic"), totals.get("synthetic", 0)
        ),
    }


def _rounded(count: int) -> int:
    return ROUNDING * round(count / ROUNDING)


def _reason(tested: np.ndarray, trained: TrainTest) -> str | None:
    """Why the group is unknown, or ``None``; small numbers are not named."""
    label = trained.test.label[tested]
    if trained.reason is not None or len(trained.chosen_fits) < 2:
        return trained.reason or "a model could not be trained"
    if label.size < FEWEST_ROWS:
        return f"fewer than {FEWEST_ROWS} holdout patients with a known outcome"
    if min(label.sum(), (~label).sum()) < FEWEST_OF_CLASS:
        return f"fewer than {FEWEST_OF_CLASS} holdout patients with, or without, the event"
    return None


def _representation(
    real: int, real_total: int, synthetic: int | None, synthetic_total: int
) -> dict[str, float | None]:  # fmt: skip
    found: dict[str, float | None] = dict.fromkeys(("synthetic", "ratio", "lower", "upper"))
    found["real"] = real / max(real_total, 1)
    if synthetic is None:
        return found
    shares = {"real": real / max(real_total, 1), "synthetic": synthetic / max(synthetic_total, 1)}
    if real == 0:
        return found | shares
    some = max(synthetic, 0.5)
    spread = np.sqrt(max(1 / some - 1 / max(synthetic_total, 1), 0) + max(1 / real - 1 / real_total, 0))
    bounds = {name: some / max(synthetic_total, 1) / shares["real"] * np.exp(sign * Z95 * spread)
              for name, sign in (("lower", -1), ("upper", 1))}  # fmt: skip
    return {**shares, "ratio": shares["synthetic"] / shares["real"], **bounds}


def _fidelity(
    parts: Mapping[str, np.ndarray], levels: Sequence[int], rng: np.random.Generator
) -> dict[str, float] | None:
    """Mean one-way total variation to the training patients of the group; ``None`` if a part has fewer than 30 rows."""
    if not levels or "synthetic" not in parts or min(len(part) for part in parts.values()) < FEWEST_ROWS:
        return None
    size = min(len(parts["holdout"]), len(parts["synthetic"]))
    matched = parts["synthetic"][rng.choice(len(parts["synthetic"]), size, replace=False)]
    compared = {"synthetic": parts["synthetic"], "synthetic_matched": matched, "holdout": parts["holdout"]}
    return {name: _mean_distance(parts["train"], part, levels) for name, part in compared.items()}


def _mean_distance(first: np.ndarray, second: np.ndarray, levels: Sequence[int]) -> float:
    distances = []
    for at, count in enumerate(levels):
        shares = [np.bincount(table[:, at], minlength=count) / len(table) for table in (first, second)]
        distances.append(np.abs(shares[0] - shares[1]).sum() / 2)
    return float(np.mean(distances))


def _utility(
    trained: TrainTest, tested: np.ndarray, bootstraps: int, rng: np.random.Generator
) -> dict[str, float] | None:
    if _reason(tested, trained) is not None:
        return None
    label = trained.test.label[tested]
    risks = {side: fit.risk[tested] for side, fit in trained.chosen_fits.items()}
    weights = resampling_weights(label.size, bootstraps, rng)
    areas = {side: auc(risk, label) for side, risk in risks.items()}
    resampled = {side: weighted_aucs(risk, label, weights) for side, risk in risks.items()}
    surplus = risks["tstr"] - label
    found = {f"{side}_auc": percentile_interval(areas[side], resampled[side]) for side in ("trtr", "tstr")}
    found["loss"] = percentile_interval(areas["trtr"] - areas["tstr"], resampled["trtr"] - resampled["tstr"])
    found["calibration_in_the_large"] = percentile_interval(float(surplus.mean()), weights @ surplus / label.size)
    values = {name: interval.value for name, interval in found.items()}
    values |= {f"{name}_lower": interval.lower for name, interval in found.items()}
    return values | {f"{name}_upper": interval.upper for name, interval in found.items()}


def _report(groups: Sequence[Mapping[str, Any]]) -> FairnessReport:
    known = [group for group in groups if group["utility"] is not None]
    unknown = len(groups) - len(known)
    if not known:
        words = f"No subgroup has enough holdout patients: all {unknown} are unknown, which is not the same as fair."
        return FairnessReport(groups, None, 0, unknown, words, words)
    worst = max(known, key=lambda group: group["utility"]["loss"])
    figures = {"loss": worst["utility"]["loss"], "lower": worst["utility"]["loss_lower"]}
    figures |= {"upper": worst["utility"]["loss_upper"]}
    named = {"column": worst["column"], "column_label": worst["column_label"], "group": worst["group"], **figures}
    return FairnessReport(groups, named, len(known), unknown, _words(named, len(known), unknown))


def _words(worst: Mapping[str, Any], known: int, unknown: int) -> str:
    left = {0: "No subgroup is unknown.", 1: "1 subgroup is too small to tell, which is not the same as fair."}
    tail = left.get(unknown, f"{unknown} subgroups are too small to tell, which is not the same as fair.")
    which = f"the worst of {known} known subgroups" if known > 1 else "the only known subgroup"
    loss, low, high = (round(worst[key], 2) + 0.0 for key in ("loss", "lower", "upper"))  # + 0.0: no -0.00
    return (
        f"In {which} ({worst['column_label']}: {worst['group']}) training on synthetic patients costs an AUC of "
        f"{loss:.2f} ({low:.2f} to {high:.2f}). {tail}"
    )
