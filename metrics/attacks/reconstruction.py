"""Attribute inference by linear reconstruction: all patients' secret bits at once, from counts in the synthetic table.

Belongs here: the attack of Annamalai et al. and how much better it does on training patients than on others. Does not
belong here: inference from the nearest row (``inference_risk``).

The attacker has a list of all patients' known columns and seeks one secret bit each. Every set of one or two known
columns splits the list into cells; the synthetic table says which share of a cell has the secret, so that the bits in
the cell should add up to the cell's size times that share. Bits between 0 and 1 that fit all cells best (weighted least
squares, a cell's weight one over its expected variance) are the guesses.

Guessing well is no leak by itself, since known columns predict secrets. Hence the same list is attacked a second time
with held-out patients in the place of as many training patients, and the leak is the difference of AUC on those who
were exchanged. (Equal lists on both sides, so that equal numbers are sought among equal numbers.)

References
----------
Annamalai, Gadotti and Rocher, 2024, A Linear Reconstruction Approach for Attribute Inference Attacks against
Synthetic Data, USENIX Security. Dinur and Nissim, 2003, PODS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.attacks.cell_sums import CellSums, cell_sums, fitted_bits, pairs_of
from metrics.attacks.risk import auxiliary_columns, secret_columns, too_few
from metrics.discrimination import Interval, auc, percentile_interval, resampling_weights, weighted_aucs
from metrics.plain import plain
from records.discretisation import encode, encode_column, level_labels
from records.outcome import binary_outcome
from records.schema import Schema

MOST_SECRETS = 4
MOST_PATIENTS = 20_000
BOOTSTRAPS = 400
FEWEST_OF_A_CLASS = 5


@dataclass(frozen=True)
class Reconstruction:
    """The attack on one secret bit; figures are ``None`` where it could not run, and ``reason`` says why.

    Parameters
    ----------
    secret : str
        The bit, in words.
    members, controls : int
        Exchanged patients on either side.
    auc, control_auc : float or None
        Of the guesses, on exchanged training patients and on the held-out patients in their place.
    accuracy, control_accuracy : float or None
        Of the guesses rounded to the more likely bit.
    advantage, advantage_lower, advantage_upper : float or None
        ``auc - control_auc`` with a 95 % bootstrap interval over patients: the leak; 0 is none.
    accuracy_advantage, accuracy_advantage_lower, accuracy_advantage_upper : float or None
        The same of accuracy.
    """

    secret: str
    reason: str | None
    members: int
    controls: int
    auc: float | None = None
    control_auc: float | None = None
    accuracy: float | None = None
    control_accuracy: float | None = None
    advantage: float | None = None
    advantage_lower: float | None = None
    advantage_upper: float | None = None
    accuracy_advantage: float | None = None
    accuracy_advantage_lower: float | None = None
    accuracy_advantage_upper: float | None = None


@dataclass(frozen=True)
class ReconstructionReport:
    """Linear reconstruction of every secret bit.

    Parameters
    ----------
    reason : str or None
        Why there are no figures.
    known : sequence of str
        Columns the attacker knows.
    patients : int
        Length of the attacked list.
    subsampled : str or None
        What was drawn at random, in words.
    secrets : mapping of str to Reconstruction
    worst : Reconstruction or None
        The secret with the highest lower bound of the advantage.
    """

    reason: str | None
    known: Sequence[str]
    patients: int
    subsampled: str | None
    secrets: Mapping[str, Reconstruction]
    worst: Reconstruction | None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def reconstruction(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    bootstraps: int = BOOTSTRAPS,
) -> ReconstructionReport:
    """Reconstruct the primary outcome and the first sensitive columns, one bit each.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; ``holdout`` is a random sample of the same population that the synthesizer did not see.
    rng : numpy.random.Generator
        Draws the exchanged patients and the bootstrap.
    bootstraps : int
        Resamples of patients.
    """
    known, bits = auxiliary_columns(schema), secret_bits(synthetic, schema)
    names = [c.name for c in known]
    reason = too_few(train.height, holdout.height, synthetic.height)
    if not (known and bits):
        reason = f"the schema has no column that an attacker {'may know' if bits else 'seeks'}"
    if reason:
        nothing = {name: Reconstruction(bit.words, reason, 0, 0) for name, bit in bits.items()}
        return ReconstructionReport(reason, names, 0, None, nothing, None)
    listed = train[rng.permutation(train.height)[:MOST_PATIENTS]]
    found = {}
    for name, bit in bits.items():
        tables = [frame.filter(bit(frame).is_not_null()) for frame in (listed, holdout, synthetic)]
        codes = [encode(frame, known) for frame in tables]
        labels = [bit(frame).to_numpy().astype(bool) for frame in tables]
        found[name] = _reconstructed(bit.words, codes, labels, rng, bootstraps)
    cut = f"drawn at random: {listed.height} of {train.height} patients" if listed.height < train.height else None
    able = [r for r in found.values() if r.advantage_lower is not None]
    return ReconstructionReport(
        None if able else next(iter(found.values())).reason,
        names,
        listed.height,
        cut,
        found,
        max(able, key=lambda r: r.advantage_lower or 0.0, default=None),
    )


@dataclass(frozen=True)
class SecretBit:
    """A yes-or-no question about a patient; called on a table it gives booleans, null where unknown."""

    words: str
    schema: Schema
    column: str | None = None
    level: int = 0

    def __call__(self, frame: pl.DataFrame) -> pl.Series:
        if self.column is None:
            return binary_outcome(frame, self.schema, self.schema.outcomes[0])
        return pl.Series(encode_column(frame[self.column], self.schema[self.column]) == self.level)


def secret_bits(synthetic: pl.DataFrame, schema: Schema) -> dict[str, SecretBit]:
    """The primary outcome, then sensitive and outcome columns: their most frequent synthetic level against the rest."""
    outcome = next(iter(schema.outcomes), None)
    bits = {outcome.name: SecretBit(outcome.label, schema)} if outcome else {}
    used = {outcome.column, schema.event.name if schema.event else None} if outcome else set()
    for column in secret_columns(schema):
        if column.name not in used and synthetic.height:
            level = int(np.bincount(encode_column(synthetic[column.name], column)).argmax())
            labels = [*level_labels(column), "missing"]
            bits[column.name] = SecretBit(f"{column.label}: {labels[level]} or not", schema, column.name, level)
    return dict(list(bits.items())[:MOST_SECRETS])


def _reconstructed(
    words: str, codes: Sequence[np.ndarray], labels: Sequence[np.ndarray], rng: np.random.Generator, bootstraps: int
) -> Reconstruction:
    size = min(len(labels[0]) // 2, len(labels[1]))
    out, into = rng.permutation(len(labels[0]))[:size], rng.permutation(len(labels[1]))[:size]
    truth = labels[0][out], labels[1][into]
    if rare := _too_rare(truth, labels[2]):
        return Reconstruction(words, rare, size, size)
    swapped = codes[0].copy()
    swapped[out] = codes[1][into]
    sums: CellSums = cell_sums(codes[2], labels[2])
    guesses = [fitted_bits(patients, sums, pairs_of(patients.shape[1]))[out] for patients in (codes[0], swapped)]
    weights = [resampling_weights(size, bootstraps, rng) for _ in range(2)]
    return Reconstruction(words, None, size, size, **_figures(guesses, truth, weights))


def _too_rare(truth: Sequence[np.ndarray], synthetic: np.ndarray) -> str | None:
    fewest = min(int(min(t.sum(), (~t).sum())) for t in (*truth, synthetic))
    return "a class of the secret has too few patients or synthetic rows" if fewest < FEWEST_OF_A_CLASS else None


def _figures(
    guesses: Sequence[np.ndarray], truth: Sequence[np.ndarray], weights: Sequence[np.ndarray]
) -> dict[str, float]:
    areas = [auc(g, t) for g, t in zip(guesses, truth, strict=True)]
    right = [(g >= 0.5) == t for g, t in zip(guesses, truth, strict=True)]
    resampled = [weighted_aucs(g, t, w) for g, t, w in zip(guesses, truth, weights, strict=True)]
    shares = [w @ r / len(r) for r, w in zip(right, weights, strict=True)]
    leak = percentile_interval(areas[0] - areas[1], resampled[0] - resampled[1])
    more = percentile_interval(float(right[0].mean() - right[1].mean()), shares[0] - shares[1])
    return {
        "auc": areas[0],
        "control_auc": areas[1],
        "accuracy": float(right[0].mean()),
        "control_accuracy": float(right[1].mean()),
        **_named("advantage", leak),
        **_named("accuracy_advantage", more),
    }


def _named(name: str, found: Interval) -> dict[str, float]:
    return {name: found.value, f"{name}_lower": found.lower, f"{name}_upper": found.upper}
