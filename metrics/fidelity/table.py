"""Fidelity: how near the synthetic table's distributions are to the real ones, beside references of the same run.

Belongs here: one- and two-way total variation, missingness, survival curves, and the references that give them a
scale. Does not belong here: drawing the references (``references``), a single score (one outlier moves it), prediction
(``utility``), or privacy (``attacks``).

All tables share the codebook's bins. Every distance is to the real training table, and is read beside references: the
real holdout (noise floor: what other patients of the same kind score) and independent columns (real columns shuffled
one by one: right margins, no association) and a bootstrap copy (what a table that leaks every patient scores).
Distances grow as tables shrink, so that a small holdout can look worse than shuffled training columns. Hence two sets
that compare like with like: at full size ``synthetic`` beside ``independent`` (shuffled train) and ``bootstrap``; at the
holdout's size ``synthetic_matched`` (the synthetic table cut to that size) beside ``holdout``, ``independent_matched``
(shuffled holdout) and ``bootstrap_matched``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.candidate import candidate_hash
from metrics.fidelity.kaplan_meier import gap, kaplan_meier
from metrics.fidelity.references import Compared, compared
from metrics.fidelity.total_variation import pair_distances, pair_shares
from metrics.plain import plain
from records.discretisation import level_labels, value_levels
from records.outcome import survival
from records.schema import Column, Schema

WORST_PAIRS = 10
CURVE_POINTS = 60
ROUNDING = 5


@dataclass(frozen=True)
class Distances:
    """Summary of a table's total variation distances to the training table, each 0 to 1."""

    mean_tvd1: float
    max_tvd1: float
    mean_tvd2: float
    max_tvd2: float


@dataclass(frozen=True)
class FidelityReport:
    """Aggregates only; see the module for the references.

    Parameters
    ----------
    mean_tvd2, max_tvd2 : float
        Over all pairs of columns, synthetic against train.
    synthetic, independent, bootstrap : Distances
    synthetic_matched, holdout, independent_matched, bootstrap_matched : Distances
    columns : list of dict
        Per column: name, label, distances, missing shares, and shares per level for the plots (real ones from counts
        rounded to multiples of 5).
    worst_pairs : list of dict
        The pairs with the largest distance, beside the holdout's distance.
    tvd2_quantiles : dict of list of float
        101 quantiles of the two-way distances of each table.
    survival : dict or None
        Kaplan-Meier curves on a grid and their gaps; ``None`` without time and event.
    """

    candidate_sha256: str
    rows: Mapping[str, int]
    mean_tvd2: float
    max_tvd2: float
    synthetic: Distances
    independent: Distances
    bootstrap: Distances
    synthetic_matched: Distances
    holdout: Distances
    independent_matched: Distances
    bootstrap_matched: Distances
    columns: Sequence[Mapping[str, Any]]
    worst_pairs: Sequence[Mapping[str, Any]]
    tvd2_quantiles: Mapping[str, Sequence[float]]
    survival: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def fidelity(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    candidate_sha256: str | None = None,
) -> FidelityReport:
    """Measure fidelity of a synthetic table.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored.
    rng : numpy.random.Generator
        Shuffles the independent reference, and draws the matched sample and the bootstrap copies.
    candidate_sha256 : str or None
        Hash of the candidate's file; by default the hash of ``synthetic`` itself.
    """
    tables = compared(train, holdout, synthetic, schema, rng=rng)
    return table_fidelity(tables, candidate_hash(synthetic, candidate_sha256))


def table_fidelity(tables: Compared, candidate_sha256: str) -> FidelityReport:
    """``fidelity`` of tables whose references are drawn already."""
    columns, levels, codes = tables.columns, tables.levels, tables.codes
    shares = {name: pair_shares(table, levels) for name, table in codes.items()}
    tvd = {name: pair_distances(shares["train"], shares[name], levels) for name in tables.others}
    summaries = {name: _summary(distances) for name, distances in tvd.items()}
    given = {name: tables.frames[name] for name in ("train", "holdout", "synthetic")}
    return FidelityReport(
        candidate_sha256=candidate_sha256,
        rows={name: frame.height for name, frame in given.items()},
        mean_tvd2=summaries["synthetic"].mean_tvd2,
        max_tvd2=summaries["synthetic"].max_tvd2,
        **summaries,
        columns=[_column(c, i, codes, tvd) for i, c in enumerate(columns)],
        worst_pairs=_worst_pairs(columns, tvd),
        tvd2_quantiles={name: np.quantile(_pairs(d), np.linspace(0, 1, 101)).tolist() for name, d in tvd.items()},
        survival=_survival(given, tables.schema),
    )


def _pairs(distances: np.ndarray) -> np.ndarray:
    """Two-way distances, shape (pairs,); one column alone stands for itself."""
    above = distances[np.triu_indices(len(distances), k=1)]
    return above if above.size else np.diag(distances)


def _summary(distances: np.ndarray) -> Distances:
    single, double = np.diag(distances), _pairs(distances)
    return Distances(float(single.mean()), float(single.max()), float(double.mean()), float(double.max()))


def _worst_pairs(columns: Sequence[Column], tvd: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    rows, others = np.triu_indices(len(columns), k=1)
    order = np.argsort(-tvd["synthetic"][rows, others], kind="stable")[:WORST_PAIRS]
    return [
        {
            "columns": [columns[i].name, columns[j].name],
            "labels": [columns[i].label, columns[j].label],
            "tvd": tvd["synthetic"][i, j],
            "holdout": tvd["holdout"][i, j],
        }
        for i, j in zip(rows[order], others[order], strict=True)
    ]


def _column(column: Column, at: int, codes: Mapping[str, np.ndarray], tvd: Mapping[str, np.ndarray]) -> dict[str, Any]:
    counts = {
        name: np.bincount(codes[name][:, at], minlength=value_levels(column) + 1) for name in ("train", "synthetic")
    }
    missing = {name: count[-1] / max(count.sum(), 1) for name, count in counts.items()}
    shown = slice(None) if column.missing else slice(-1)
    return {
        "name": column.name,
        "label": column.label,
        "kind": column.kind,
        "unit": column.unit,
        "tvd": tvd["synthetic"][at, at],
        "tvd_holdout": tvd["holdout"][at, at],
        "missing_train": missing["train"],
        "missing_synthetic": missing["synthetic"],
        "missing_difference": missing["synthetic"] - missing["train"],
        "levels": level_labels(column),
        "train_shares": rounded_shares(counts["train"])[shown],
        "synthetic_shares": (counts["synthetic"] / max(counts["synthetic"].sum(), 1))[shown],
    }


def rounded_shares(counts: np.ndarray) -> np.ndarray:
    """Shares from counts rounded to multiples of 5, so that no cell of a few patients shows, alone or by subtraction.

    Returns
    -------
    numpy.ndarray of float, shape of ``counts``
    """
    rounded = ROUNDING * np.round(counts / ROUNDING)
    return rounded / max(rounded.sum(), 1.0)


def _survival(frames: Mapping[str, pl.DataFrame], schema: Schema) -> dict[str, Any] | None:
    if schema.time is None or schema.event is None:
        return None
    tables = {name: survival(frame, schema) for name, frame in frames.items()}
    if any(table.is_empty() for table in tables.values()):
        return None
    curves = {name: kaplan_meier(t["time"].to_numpy(), t["event"].to_numpy()) for name, t in tables.items()}
    horizon = min(curve.last for curve in curves.values())
    grid = np.linspace(0, horizon, CURVE_POINTS)
    return {
        "label": schema.time.label,
        "unit": schema.time.unit,
        "horizon": horizon,
        "grid": grid,
        "curves": {name: curve.shown(grid) for name, curve in curves.items()},
        "synthetic": gap(curves["train"], curves["synthetic"], horizon),
        "holdout": gap(curves["train"], curves["holdout"], horizon),
    }
