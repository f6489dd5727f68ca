"""A table made k-anonymous, l-diverse and t-close by generalising and suppressing as little as possible.

Belongs here: from a table and its schema to the table that may be released, and what was done to it. Does not belong
here: pseudonyms, dates and text, which are dealt with before (``table``), or tables that differential privacy is run on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from deidentification.anonymity.classes import Classes, Sensitive, compress
from deidentification.anonymity.codebook_hierarchies import codebook_hierarchy
from deidentification.anonymity.hierarchy import Hierarchy
from deidentification.anonymity.lattice import Found, search
from deidentification.anonymity.models import Anonymity, diversities
from deidentification.anonymity.risk import Risk, residual_risk
from records.discretisation import encode_column, value_levels
from records.errors import ParameterError
from records.schema import Column, Kind, Role, Schema


@dataclass(frozen=True)
class AnonymityReport:
    """What was done to reach the demand, and what risk is left.

    Parameters
    ----------
    demand : Anonymity
    levels : mapping of str to str
        Quasi-identifier to the name of its level, ``as recorded`` for an unchanged one.
    rows, suppressed : int
        Rows before, and rows left out.
    loss : float
        Normalised certainty penalty: mean over all cells of the quasi-identifiers, 0 to 1.
    discernibility : int
        Sum of the squared class sizes, suppressed rows counting with all rows (Bayardo & Agrawal, 2005).
    before, after : Risk
    nodes, judged : int
        Nodes of the lattice, and those that had to be judged to find the best one.
    """

    demand: Anonymity
    levels: Mapping[str, str]
    rows: int
    suppressed: int
    loss: float
    discernibility: int
    before: Risk
    after: Risk
    nodes: int
    judged: int

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        plain = asdict(self) | {"loss": round(self.loss, 4), "levels": dict(self.levels)}
        return plain | {"before": self.before.to_json(), "after": self.after.to_json()}


def quasi_identifiers(schema: Schema) -> list[Column]:
    """Columns by which a person could be known: the quasi-identifiers and the site."""
    return schema.with_role(Role.SITE, Role.QUASI_IDENTIFIER)


def class_rows(table: pl.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Rows of each class of equal values in ``names``; without names all rows are one class."""
    return table.group_by(names).len()["len"].to_numpy() if names else np.array([table.height])


def anonymise(
    frame: pl.DataFrame,
    schema: Schema,
    demand: Anonymity,
    *,
    population_multiplier: float = 1.0,
    before: Risk | None = None,
) -> tuple[pl.DataFrame, AnonymityReport]:
    """The table of least loss that holds the demand.

    Parameters
    ----------
    frame : polars.DataFrame, n rows
        One row per patient, columns in schema types, numbers already top-coded.
    schema : Schema
        Sites and quasi-identifiers are generalised, sensitive columns are counted for l and t, others are untouched.
    before : Risk or None
        Of the source, where ``frame`` is changed already; else that of ``frame``.

    Returns
    -------
    (polars.DataFrame, AnonymityReport)
        The rows that are kept, in their order; a generalised column is text, an unchanged one keeps its type.

    Raises
    ------
    ParameterError
        The demand cannot be reached; the message says what is the best.
    TableError
        A column of codes holds something else.
    """
    columns = quasi_identifiers(schema)
    hierarchies = [codebook_hierarchy(c, frame[c.name]) for c in columns]
    sensitive = [_sensitive(c, frame[c.name]) for c in schema.with_role(Role.SENSITIVE)]
    _refuse_unreachable(frame.height, sensitive, demand)
    if not columns:
        classes, labels = Classes((), (), np.array([frame.height])), np.zeros(frame.height, dtype=np.int64)
    else:
        classes, labels = compress([h.codes(frame[h.column]) for h in hierarchies], sensitive)
    found = search(classes, hierarchies, demand, sensitive) if columns else None
    if columns and found is None:
        raise ParameterError(f"the demand must be reachable, got none of its levels that holds {_words(demand)}")
    before = before or residual_risk(classes.rows, population_multiplier=population_multiplier)
    return _released(frame, hierarchies, classes, labels, found, demand, before)


def _released(
    frame: pl.DataFrame, hierarchies: Sequence[Hierarchy], classes: Classes, labels: np.ndarray, found: Found | None,
    demand: Anonymity, before: Risk,
) -> tuple[pl.DataFrame, AnonymityReport]:  # fmt: skip
    node = found.node if found else ()
    kept = found.kept[labels] if found else np.ones(frame.height, dtype=bool)
    written = [_written(frame, h, place) for h, place in zip(hierarchies, node, strict=True) if place]
    table = frame.with_columns(written).filter(pl.Series(kept))
    sizes = class_rows(table, [h.column for h in hierarchies])
    gone = frame.height - table.height
    return table, AnonymityReport(
        demand=demand,
        levels={h.column: h.levels[place].name for h, place in zip(hierarchies, node, strict=True)},
        rows=frame.height, suppressed=gone, loss=found.judgement.loss if found else 0.0,
        discernibility=int((sizes.astype(np.int64) ** 2).sum()) + gone * frame.height,
        before=before, after=residual_risk(sizes, population_multiplier=before.population_multiplier),
        nodes=found.nodes if found else 1, judged=found.judged if found else 0,
    )  # fmt: skip


def _written(frame: pl.DataFrame, hierarchy: Hierarchy, place: int) -> pl.Series:
    level = hierarchy.levels[place]
    labels = pl.Series(hierarchy.column, level.labels, dtype=pl.String)
    return labels.gather(pl.Series(level.groups[hierarchy.codes(frame[hierarchy.column])]))


def _sensitive(column: Column, values: pl.Series) -> Sensitive:
    """A sensitive column in the codebook's levels or bins, a missing value being a value of its own."""
    if column.kind is Kind.CATEGORY or column.numeric:
        return Sensitive(column.name, encode_column(values, column), value_levels(column) + 1, column.numeric)
    codes = values.cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int32) - 1
    return Sensitive(column.name, codes, int(codes.max(initial=0)) + 1, False)


def _refuse_unreachable(rows: int, sensitive: Sequence[Sensitive], demand: Anonymity) -> None:
    """Refuse what not even one class of all rows would hold, which is the most general table there is."""
    if rows < demand.k:
        raise ParameterError(
            f"k must be at most the number of rows to be reachable, got k {demand.k} with {rows} rows, so the best is "
            f"{rows}; pool more patients or ask for less"
        )
    if (demand.l is not None or demand.t is not None) and not sensitive:
        raise ParameterError(
            "l and t must have a sensitive column to speak of, got none in the codebook; give a column the role sensitive"
        )
    for column in sensitive if demand.l is not None else ():
        total = np.bincount(column.codes, minlength=column.values)[None, :]
        best = float(diversities(total, demand.diversity)[0])
        if demand.l is not None and best < demand.l:
            raise ParameterError(
                f"l must be at most the diversity of {column.name} in the whole table to be reachable, got "
                f"{demand.l:g}, where the best is {best:.4g} ({demand.diversity}); ask for less or leave the column out"
            )


def _words(demand: Anonymity) -> str:
    asked = {"k": demand.k, "l": demand.l, "t": demand.t, "suppression": demand.suppression}
    return ", ".join(f"{name} {value:g}" for name, value in asked.items() if value is not None)
