"""Associations of all pairs of columns: is what goes together in real patients together in synthetic ones?

Belongs here: comparing the association matrices of tables. Does not belong here: the measures (``mixed_association``)
or the drawing (``plots.association``). One number per pair is coarser than the two-way distance (``table``), but it
has a direction and reads at a glance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.fidelity.mixed_association import association_matrix, measure
from metrics.fidelity.references import Compared
from metrics.plain import plain
from records.schema import Column

WORST_PAIRS = 10


@dataclass(frozen=True)
class AssociationReport:
    """Aggregates only; figures are ``None`` where ``reason`` says why.

    Parameters
    ----------
    columns : sequence of mapping
        ``name``, ``label`` and ``kind``, in the order of the matrices.
    matrices : mapping of str to numpy.ndarray of float, shape (columns, columns)
        ``train``, ``synthetic`` and ``difference`` (synthetic minus train); NaN where a pair has no association.
    pairs : int
        Pairs that have an association in train and in the synthetic table.
    mean, max : mapping of str to float
        Table (see ``references``) to its mean (largest) absolute difference to train over pairs, 0 to 2.
    worst_pairs : sequence of mapping
        Pairs with the largest difference, with their ``measure``.
    """

    reason: str | None
    columns: Sequence[Mapping[str, Any]] = ()
    matrices: Mapping[str, np.ndarray] | None = None
    pairs: int = 0
    mean: Mapping[str, float] | None = None
    max: Mapping[str, float] | None = None
    worst_pairs: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def association(tables: Compared) -> AssociationReport:
    """Association matrices of train and synthetic, and every table's differences to train."""
    if tables.reason is not None:
        return AssociationReport(tables.reason)
    matrices = {n: association_matrix(tables.frames[n], tables.codes[n], tables.columns) for n in tables.frames}
    above = np.triu_indices(len(tables.columns), k=1)
    differences = {name: (matrices[name] - matrices["train"])[above] for name in tables.others}
    known = {name: np.abs(d[np.isfinite(d)]) for name, d in differences.items()}
    if not known["synthetic"].size:
        return AssociationReport("no pair of columns varies in 20 complete rows of both tables")
    return AssociationReport(
        None,
        columns=[{"name": c.name, "label": c.label, "kind": c.kind} for c in tables.columns],
        matrices={
            "train": matrices["train"],
            "synthetic": matrices["synthetic"],
            "difference": matrices["synthetic"] - matrices["train"],
        },
        pairs=known["synthetic"].size,
        mean={name: float(d.mean()) if d.size else float("nan") for name, d in known.items()},
        max={name: float(d.max()) if d.size else float("nan") for name, d in known.items()},
        worst_pairs=_worst_pairs(tables.columns, matrices),
    )


def _worst_pairs(columns: Sequence[Column], matrices: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    rows, others = np.triu_indices(len(columns), k=1)
    difference = np.abs(matrices["synthetic"] - matrices["train"])[rows, others]
    order = np.argsort(-np.nan_to_num(difference, nan=-1.0), kind="stable")[:WORST_PAIRS]
    return [
        {
            "columns": [columns[i].name, columns[j].name],
            "labels": [columns[i].label, columns[j].label],
            "measure": measure(columns[i], columns[j]),
            **{name: matrices[name][i, j] for name in ("train", "synthetic", "holdout")},
        }
        for i, j in zip(rows[order], others[order], strict=True)
        if np.isfinite(matrices["synthetic"][i, j] - matrices["train"][i, j])
    ]
