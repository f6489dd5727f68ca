"""Missing values: how many, which together, and whether they go with the outcome.

Belongs here: the pattern of missing values. Does not belong here: the values that are known (``univariate``).

References
----------
Little and Rubin, 2019, Statistical Analysis with Missing Data (patterns of missing values).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.fidelity.references import Compared
from metrics.fidelity.table import rounded_shares
from metrics.plain import plain
from records.outcome import binary_outcome
from records.schema import Column

MOST_PATTERNS = 10
FEWEST_PATIENTS = 20
SHOWN = ("train", "holdout", "synthetic")


@dataclass(frozen=True)
class MissingnessReport:
    """Aggregates only; figures are ``None`` where ``reason`` says why.

    Parameters
    ----------
    columns : sequence of mapping
        Per column that may be missing: ``name``, ``label``, share missing in ``train``, ``holdout`` and
        ``synthetic``, ``difference`` (synthetic minus train), and ``outcome`` (see ``_with_outcome``).
    pattern_tvd : mapping of str to float
        Table (see ``references``) to the total variation of its patterns (which columns are missing together) to
        train's, 0 to 1.
    patterns : sequence of mapping
        The ten most frequent of train: ``missing`` (labels) and shares; real ones from counts rounded to multiples
        of 5.
    outcome : str or None
        Label of the primary outcome.
    """

    reason: str | None
    columns: Sequence[Mapping[str, Any]] = ()
    pattern_tvd: Mapping[str, float] | None = None
    patterns: Sequence[Mapping[str, Any]] = ()
    outcome: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def missingness(tables: Compared) -> MissingnessReport:
    """Compare the missing values of every table with train's."""
    absent = {name: codes == np.array(tables.levels) - 1 for name, codes in tables.codes.items()}
    may = [i for i, c in enumerate(tables.columns) if c.missing or any(mask[:, i].any() for mask in absent.values())]
    reason = tables.reason or (None if may else "no column may be missing")
    if reason is not None:
        return MissingnessReport(reason)
    columns = [tables.columns[i] for i in may]
    masks = {name: mask[:, may] for name, mask in absent.items()}
    patterns, counts = _patterns(masks)
    outcomes = _outcomes(tables)
    return MissingnessReport(
        None,
        columns=[_column(column, at, masks, outcomes) for at, column in enumerate(columns)],
        pattern_tvd={name: _tvd(counts["train"], counts[name]) for name in tables.others},
        patterns=_frequent(columns, patterns, counts),
        outcome=tables.schema.outcomes[0].label if tables.schema.outcomes else None,
    )


def _patterns(masks: Mapping[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Distinct patterns, bool (patterns, columns), and how often each table has each of them."""
    stacked = np.concatenate(list(masks.values()))
    packed = np.ascontiguousarray(np.packbits(stacked, axis=1))
    whole = packed.view(f"V{packed.shape[1]}").ravel()
    _, first, number = np.unique(whole, return_index=True, return_inverse=True)
    parts = np.split(number, np.cumsum([len(mask) for mask in masks.values()])[:-1])
    counts = {name: np.bincount(part, minlength=len(first)) for name, part in zip(masks, parts, strict=True)}
    return stacked[first], counts


def _tvd(first: np.ndarray, second: np.ndarray) -> float:
    if not (first.sum() and second.sum()):
        return float("nan")
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def _frequent(
    columns: Sequence[Column], patterns: np.ndarray, counts: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    real = {name: rounded_shares(counts[name]) for name in ("train", "holdout")}
    shares = {**real, "synthetic": counts["synthetic"] / counts["synthetic"].sum()}
    order = np.argsort(-counts["train"], kind="stable")[:MOST_PATTERNS]
    return [
        {
            "missing": [column.label for column, absent in zip(columns, patterns[at], strict=True) if absent],
            **{name: share[at] for name, share in shares.items()},
        }
        for at in order
        if shares["train"][at] > 0
    ]


def _outcomes(tables: Compared) -> dict[str, np.ndarray] | None:
    """Primary outcome of each shown table, float (rows,): 0, 1 or NaN; ``None`` if the schema has none."""
    if not tables.schema.outcomes:
        return None
    outcome = tables.schema.outcomes[0]
    labels = {name: binary_outcome(tables.frames[name], tables.schema, outcome) for name in SHOWN}
    return {name: label.cast(float).fill_null(float("nan")).to_numpy() for name, label in labels.items()}


def _column(
    column: Column, at: int, masks: Mapping[str, np.ndarray], outcomes: Mapping[str, np.ndarray] | None
) -> dict[str, Any]:
    shares = {name: float(masks[name][:, at].mean()) if len(masks[name]) else float("nan") for name in SHOWN}
    return {
        "name": column.name,
        "label": column.label,
        **shares,
        "difference": shares["synthetic"] - shares["train"],
        "outcome": None if outcomes is None else _with_outcome({n: masks[n][:, at] for n in SHOWN}, outcomes),
    }


def _with_outcome(absent: Mapping[str, np.ndarray], outcomes: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Share with the outcome where the value is missing minus where it is known, -1 to 1, and its difference.

    A table with fewer than 20 patients on either side has none, so that no small group shows.
    """
    found = {name: _risk_difference(absent[name], outcomes[name]) for name in SHOWN}
    return {
        **found,
        "difference": found["synthetic"] - found["train"],
        "reason": None
        if np.isfinite(found["synthetic"] - found["train"])
        else f"fewer than {FEWEST_PATIENTS} patients with a known outcome are missing or known in one of the tables",
    }


def _risk_difference(absent: np.ndarray, outcome: np.ndarray) -> float:
    known = np.isfinite(outcome)
    sides = [outcome[known & absent], outcome[known & ~absent]]
    if min(side.size for side in sides) < FEWEST_PATIENTS:
        return float("nan")
    return float(sides[0].mean() - sides[1].mean())
