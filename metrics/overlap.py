"""Tables that must not share patients: training with held-out, held-out with synthetic.

Belongs here: finding a split that is no split, before anything is measured on it. Does not belong here: copies of training
patients in a synthetic table, which are a finding and not an error (``attacks``).

Rows of few columns repeat by chance. Two random samples of one population repeat each other as often as a sample repeats
itself, so the rate within the training table is the yardstick.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from metrics.distance import compared_columns
from records.errors import Problem, TableError
from records.schema import Column, Schema

STANDARD_ERRORS = 4.0
TOLERATED = 0.01
OTHER_PATIENTS = "give a random part of the patients that no synthesizer has seen"


def refuse_overlap(train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema) -> None:
    """Refuse a holdout that is part of the training table, and a synthetic table that is a copy of the holdout.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; the identifier is compared where train and holdout have it.

    Raises
    ------
    TableError
        With counts and shares, never a row.
    """
    columns = compared_columns(schema)
    chance = repeated(train, columns)
    problems = [*_same_patients(train, holdout, schema)]
    if not problems and exceeds(found := share_in(holdout, train, columns), chance, holdout.height):
        problems.append(_problem("the holdout", "training", found, chance))
    if exceeds(found := share_in(synthetic, holdout, columns), chance, synthetic.height):
        problems.append(_problem("the synthetic table", "held-out", found, chance))
    if problems:
        raise TableError("the split", problems)


def repeated(table: pl.DataFrame, columns: Sequence[Column]) -> float:
    """Share of rows that equal another row of the same table, missing equal to missing."""
    names = [c.name for c in columns]
    return float(table.select(pl.struct(names).is_duplicated().mean()).item()) if table.height else 0.0


def share_in(rows: pl.DataFrame, table: pl.DataFrame, columns: Sequence[Column]) -> float:
    """Share of ``rows`` that occur in ``table``, missing equal to missing; NaN without rows."""
    if rows.is_empty():
        return float("nan")
    names, typed = [c.name for c in columns], [pl.col(c.name).cast(c.dtype) for c in columns]
    known = table.select(typed).unique()
    return rows.select(typed).join(known, on=names, how="semi", nulls_equal=True).height / rows.height


def exceeds(share: float, chance: float, rows: int) -> bool:
    """Whether so many repeated rows are more than chance and sampling explain."""
    return bool(
        share > chance + STANDARD_ERRORS * np.sqrt(max(chance * (1 - chance), 1e-12) / max(rows, 1)) + TOLERATED
    )


def _same_patients(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> list[Problem]:
    name = schema.identifier.name if schema.identifier else None
    if name is None or name not in train.columns or name not in holdout.columns:
        return []
    shared = holdout.join(train.select(name).unique(), on=name, how="semi").height
    rule, got = "name patients who are not in the training table", f"{shared} of {holdout.height} that are"
    return [Problem(f"{name} of the holdout", rule, got, OTHER_PATIENTS)] if shared else []


def _problem(table: str, other: str, found: float, chance: float) -> Problem:
    got = f"{found:.1%} of its rows that are, where chance explains {chance:.1%}"
    remedy = OTHER_PATIENTS if other == "training" else "make it from the training patients alone"
    return Problem(table, f"not repeat {other} patients", got, remedy)
