"""Inference: can a patient's secret be read off the nearest synthetic row?

Belongs here: the inference attack of WP216, per secret. Does not belong here: inference that uses all patients at
once (``reconstruction``).

The attacker knows a patient's quasi-identifiers and covariates, finds the nearest synthetic row and takes its secret
for the patient's. A category is inferred if it is equal, a number if it lies within 5 % of the guess, missing if both
are. Baseline: the secret of a synthetic row drawn at random.

References
----------
Giomi et al., 2023, PoPETs 2023(2):312, section 5.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.attacks.neighbours import nearest_rows
from metrics.attacks.risk import ATTACKS, Risk, auxiliary_columns, measured, secret_columns, too_few, wilson, worst
from metrics.plain import plain
from records.schema import Column, Kind, Schema

TOLERANCE = 0.05


@dataclass(frozen=True)
class InferenceReport:
    """Inference risk of every secret.

    Parameters
    ----------
    reason : str or None
        Why there are no figures.
    known : sequence of str
        Columns the attacker knows.
    secrets : mapping of str to Risk
        By column; each interval stands alone, so that among twenty secrets one is expected to stand out by chance.
    worst : Risk or None
        The secret with the highest lower bound.
    """

    reason: str | None
    known: Sequence[str]
    secrets: Mapping[str, Risk]
    worst: Risk | None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def inference_risk(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    attacks: int = ATTACKS,
) -> InferenceReport:
    """Attack every secret of the schema: sensitive columns, outcomes and the event.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; ``holdout`` is a random sample of the same population that the synthesizer did not see.
    rng : numpy.random.Generator
        Draws targets, ties and the baseline.
    attacks : int
        Patients attacked on either side, at most those of the smaller table.
    """
    known, secrets = auxiliary_columns(schema), secret_columns(schema)
    reason = too_few(train.height, holdout.height, synthetic.height) or _lacking(known, secrets)
    if reason:
        return InferenceReport(
            reason, [c.name for c in known], {c.name: Risk(_named(c), reason) for c in secrets}, None
        )
    tried = min(attacks, train.height, holdout.height)
    targets = [frame[rng.permutation(frame.height)[:tried]] for frame in (train, holdout)]
    guesses = [synthetic[nearest_rows(rows, synthetic, known, rng=rng)[:, 0]] for rows in targets]
    random = synthetic[rng.integers(synthetic.height, size=tried)]
    found = {}
    for secret in secrets:
        pairs = {
            "train": (guesses[0], targets[0]),
            "baseline": (random, targets[0]),
            "control": (guesses[1], targets[1]),
        }
        rates = {n: wilson(int(inferred(g, t, secret).sum()), tried) for n, (g, t) in pairs.items()}
        found[secret.name] = measured(_named(secret), **rates)
    return InferenceReport(None, [c.name for c in known], found, worst(list(found.values())))


def inferred(guesses: pl.DataFrame, targets: pl.DataFrame, secret: Column) -> np.ndarray:
    """Which guesses of ``secret`` are right.

    Returns
    -------
    numpy.ndarray of bool, shape (targets.height,)
    """
    guess, truth = guesses[secret.name], targets[secret.name]
    if secret.kind is Kind.CATEGORY:
        return guess.cast(pl.String).eq_missing(truth.cast(pl.String)).to_numpy()
    guessed, real = (values.cast(pl.Float64).fill_null(float("nan")).to_numpy() for values in (guess, truth))
    near = np.abs(guessed - real) <= TOLERANCE * np.abs(guessed)
    return near | (np.isnan(guessed) & np.isnan(real))


def _named(secret: Column) -> str:
    return f"inference of {secret.name}"


def _lacking(known: Sequence[Column], secrets: Sequence[Column]) -> str | None:
    if not known:
        return "the schema has no column that an attacker may know"
    return None if secrets else "the schema has no sensitive column, outcome or event"
