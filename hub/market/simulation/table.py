"""The patients of a simulated market: features of a cohort and one outcome.

Belongs here: from a cohort in schema form to that table. Does not belong here: loading cohorts.
"""

from dataclasses import dataclass

import polars as pl

from records.errors import ParameterError
from records.outcome import binary_outcome
from records.schema import Column, Kind, Outcome, Role, Schema

LABEL = "outcome_of_market"
FEWEST = 200


@dataclass(frozen=True)
class Study:
    """Patients with a known outcome: features and the column ``LABEL`` (0 or 1)."""

    name: str
    frame: pl.DataFrame
    schema: Schema


def study(frame: pl.DataFrame, schema: Schema) -> Study:
    """The table of a cohort's first outcome.

    Raises
    ------
    ParameterError
        It has no outcome, or too few patients to divide among holders.
    """
    if not schema.outcomes:
        raise ParameterError(f"{schema.name} must have an outcome, got none; choose another cohort")
    outcome = schema.outcomes[0]
    known = binary_outcome(frame, schema, outcome)
    features = [c for c in schema.features() if c.name != outcome.column]
    label = Column(
        name=LABEL, label=outcome.label, role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"0": "no", "1": "yes"}
    )
    made = frame.select(c.name for c in features).with_columns(
        known.cast(pl.Int8).cast(pl.String).cast(label.dtype).alias(LABEL)
    )
    kept = made.filter(known.is_not_null())
    if kept.height < FEWEST:
        raise ParameterError(
            f"{schema.name} must have {FEWEST} patients with an outcome, got {kept.height}; choose another"
        )
    task = Outcome(name=outcome.name, label=outcome.label, column=LABEL, positive=("1",))
    return Study(
        schema.name, kept, Schema(name=schema.name, title=schema.title, columns=(*features, label), outcomes=(task,))
    )
