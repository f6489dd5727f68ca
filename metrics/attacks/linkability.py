"""Linkability: can two data sets about the same patient be joined by way of the synthetic table?

Belongs here: the linkability attack of WP216. Does not belong here: telling who was in the training data
(``membership``) or learning a value (``inference_risk``).

The attacker holds two data sets without a common key. They link two records if both are nearest to the same
synthetic row. Baseline: synthetic rows drawn at random on both sides. The known columns are dealt to the two sets in
turn, so that each holds its share of quasi-identifiers and covariates.

References
----------
Giomi et al., 2023, PoPETs 2023(2):312, section 5.2.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.stats import hypergeom

from metrics.attacks.neighbours import nearest_rows
from metrics.attacks.risk import ATTACKS, Risk, auxiliary_columns, measured, too_few, wilson
from records.errors import ParameterError
from records.schema import Column, Schema

Halves = tuple[Sequence[Column], Sequence[Column]]


def linkability(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    attacks: int = ATTACKS,
    neighbours: int = 1,
    halves: Halves | None = None,
) -> Risk:
    """Attack by linking the two halves of patients' records.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; ``holdout`` is a random sample of the same population that the synthesizer did not see.
    rng : numpy.random.Generator
        Draws targets, ties and the baseline.
    attacks : int
        Patients attacked on either side, at most those of the smaller table.
    neighbours : int
        A link is found if the ``neighbours`` nearest synthetic rows of both halves have one in common.
    halves : pair of sequences of Column or None
        What each data set holds; by default ``dealt`` from the schema.

    Raises
    ------
    ParameterError
        ``neighbours`` is below 1.
    """
    if neighbours < 1:
        raise ParameterError(f"neighbours must be at least 1, got {neighbours}; choose for instance 1")
    parts = halves or dealt(schema)
    name = f"linkability over {neighbours} nearest: {' and '.join(_listed(part) for part in parts)}"
    reason = too_few(train.height, holdout.height, synthetic.height)
    if not all(parts):
        reason = "linking needs two known columns, the schema has fewer"
    if reason:
        return Risk(name, reason)
    tried = min(attacks, train.height, holdout.height)
    linked = [_linked(frame, synthetic, parts, tried, neighbours, rng) for frame in (train, holdout)]
    return measured(
        name,
        train=wilson(linked[0], tried),
        baseline=wilson(int(rng.binomial(tried, _chance(synthetic.height, neighbours))), tried),
        control=wilson(linked[1], tried),
    )


def dealt(schema: Schema) -> Halves:
    """The attacker's known columns, dealt in turn to two data sets."""
    known = auxiliary_columns(schema)
    return known[::2], known[1::2]


def _listed(part: Sequence[Column]) -> str:
    return ", ".join(column.name for column in part)


def _linked(
    frame: pl.DataFrame,
    synthetic: pl.DataFrame,
    parts: Halves,
    attacks: int,
    neighbours: int,
    rng: np.random.Generator,
) -> int:
    """Patients linked among ``attacks`` drawn at random."""
    targets = frame[rng.permutation(frame.height)[:attacks]]
    one, other = (nearest_rows(targets, synthetic, part, neighbours=neighbours, rng=rng) for part in parts)
    return int((one[:, :, None] == other[:, None, :]).any(axis=(1, 2)).sum())


def _chance(rows: int, neighbours: int) -> float:
    """Chance that two random sets of rows have one in common."""
    drawn = min(neighbours, rows)
    return float(1 - hypergeom.pmf(0, rows, drawn, drawn))
