"""Type I error, power and interval coverage of naive tests on synthetic tables, by making many of them.

Belongs here: repetition with a synthesizer (a callable), and shares with their bounds. Does not belong here: what one
release shows (``inference_validity``), the tests (``battery``), or valid tests (pooling over several tables).

Type I error: the outcome is permuted among the training patients, so that no column has anything to do with it; the
table is synthesized again and tested as if it were real. Of p-values below 5 % there should be 5 %.

Power and coverage: the training patients stand for the population and are drawn with replacement; the table is
synthesized again and tested. Associations that are significant in the training table (Holm) should be found, and 95 %
intervals should cover the training table's estimates in 95 %. The same tests on the drawn real patients are the
reference. Bounds are Clopper and Pearson's for the effective number of trials: tests of one table are not independent.

References
----------
Montoya Perez et al., 2024, Methods Inf Med, doi:10.1055/a-2385-1355 (private synthetic tables give false discoveries).
Korn and Graubard, 1998, Surv Methodol 24:193 (bounds for clustered shares). Bradley, 1978, Br J Math Stat Psychol
31:144 (a test is robust if it is wrong in 2.5 to 7.5 % instead of 5 %).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import beta

from metrics.discrimination import Interval
from metrics.plain import plain
from metrics.utility.battery import Association, battery, holm
from records.errors import ParameterError
from records.schema import Outcome, Role, Schema

Refit = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]

LEVEL = 0.05
BRADLEY = 0.075


@dataclass(frozen=True)
class ErrorRates:
    """Shares with 95 % bounds: ``share``, ``lower``, ``upper``, ``trials``; ``None`` where nothing could be tested.

    Parameters
    ----------
    repetitions : int
        Tables made for Type I error, and as many again for power and coverage.
    type_one, type_one_real : mapping or None
        Over all tests; on synthetic tables, and on the permuted real tables they were learnt from.
    power, power_real, coverage, coverage_real : mapping or None
    tests : mapping
        Kind of test to the same six shares and ``verdict``: ``trusted`` (wrong in 7.5 % at most, by its upper bound),
        ``not trusted`` (wrong in more than 5 %, by its lower bound) or ``unknown``.
    """

    repetitions: int
    level: float
    type_one: Mapping[str, float] | None
    type_one_real: Mapping[str, float] | None
    power: Mapping[str, float] | None
    power_real: Mapping[str, float] | None
    coverage: Mapping[str, float] | None
    coverage_real: Mapping[str, float] | None
    tests: Mapping[str, Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def error_rates(
    train: pl.DataFrame,
    schema: Schema,
    outcome: Outcome,
    refit: Refit,
    *,
    repetitions: int,
    rng: np.random.Generator,
) -> ErrorRates:
    """Repeat synthesis and tests; ``refit`` is called twice per repetition.

    Parameters
    ----------
    train : polars.DataFrame
        Schema form.
    refit : callable
        Training table and random generator to a synthetic table of as many rows.
    repetitions : int
        2 or more; 200 give bounds of about 3 % on each side.

    Raises
    ------
    ParameterError
        Fewer than two repetitions, or a refit with another number of rows.
    """
    if repetitions < 2:
        raise ParameterError(f"repetitions must be at least 2, got {repetitions}; 200 give useful bounds")
    truth = battery(train, schema, outcome)
    null, alternative = [], []
    for _ in range(repetitions):
        null.append(_pair(permuted_outcome(train, schema, outcome, rng), schema, outcome, refit, rng))
        drawn = train[rng.integers(train.height, size=train.height)]
        alternative.append(_pair(drawn, schema, outcome, refit, rng))
    hits = _hits(truth, null, alternative)
    kinds = list(dict.fromkeys(a.test for a in truth))
    by_kind = {kind: _shares(hits, np.array([a.test == kind for a in truth])) for kind in kinds}
    return ErrorRates(
        repetitions,
        LEVEL,
        **_shares(hits, np.ones(len(truth), dtype=bool)),
        tests={kind: {**shares, "verdict": _verdict(shares["type_one"])} for kind, shares in by_kind.items()},
    )


def permuted_outcome(train: pl.DataFrame, schema: Schema, outcome: Outcome, rng: np.random.Generator) -> pl.DataFrame:
    """The table with the outcome, follow-up and leaking columns of one patient given to another, all together."""
    after = {outcome.column} | {c.name for c in schema.with_role(Role.TIME, Role.EVENT, Role.OUTCOME)}
    after |= {c.name for c in schema.columns if c.leakage}
    moved = [name for name in train.columns if name in after]
    order = rng.permutation(train.height)
    return train.with_columns(train[name][order] for name in moved)


def clustered_share(hits: np.ndarray) -> Interval:
    """A share of hits among tests of several tables, with Clopper-Pearson bounds for the effective number of tests.

    Parameters
    ----------
    hits : numpy.ndarray of float, shape (repetitions, tests)
        0 or 1, NaN where there was no test.
    """
    known = np.isfinite(hits)
    trials = int(known.sum())
    if trials == 0:
        return Interval(np.nan, np.nan, np.nan)
    share = float(np.nansum(hits) / trials)
    used = int(known.any(axis=1).sum())
    excess = np.where(known, hits - share, 0.0).sum(axis=1)
    variance = float(np.square(excess).sum()) / trials**2 * used / max(used - 1, 1)
    effective = min(share * (1 - share) / variance, trials) if variance > 0 else used
    found, lost = share * effective, (1 - share) * effective
    lower = float(beta.ppf(0.025, found, lost + 1)) if share > 0 else 0.0
    upper = float(beta.ppf(0.975, found + 1, lost)) if share < 1 else 1.0
    return Interval(share, lower, upper)


Pair = tuple[list[Association], list[Association]]


def _pair(table: pl.DataFrame, schema: Schema, outcome: Outcome, refit: Refit, rng: np.random.Generator) -> Pair:
    """Tests of the real table and of the synthetic table learnt from it."""
    made = refit(table, rng)
    if made.height != table.height:
        raise ParameterError(
            f"refit must return as many rows as it was given, got {made.height} for {table.height}; set its number of rows"
        )
    return battery(table, schema, outcome), battery(made, schema, outcome)


def _hits(truth: Sequence[Association], null: Sequence[Pair], alternative: Sequence[Pair]) -> dict[str, np.ndarray]:
    """Outcome of each test in each repetition, shape (repetitions, tests), 0 or 1 or NaN."""
    findings = holm([a.p_value for a in truth]) < LEVEL
    signs, values = (np.array([f(a.value) for a in truth]) for f in (np.sign, float))
    hits = {}
    for side, ending in ((0, "_real"), (1, "")):
        hits[f"type_one{ending}"] = _significant([pair[side] for pair in null])
        tested = [pair[side] for pair in alternative]
        right = np.array([[_same_sign(a.value, s) for a, s in zip(row, signs, strict=True)] for row in tested])
        hits[f"power{ending}"] = np.where(findings, _significant(tested) * right, np.nan)
        low, high = (np.array([[getattr(a, end) for a in row] for row in tested]) for end in ("lower", "upper"))
        known = np.isfinite(low) & np.isfinite(values)
        hits[f"coverage{ending}"] = np.where(known, (low <= values) & (values <= high), np.nan)
    return hits


def _significant(tested: Sequence[Sequence[Association]]) -> np.ndarray:
    p_values = np.array([[a.p_value for a in row] for row in tested])
    return np.where(np.isfinite(p_values), p_values < LEVEL, np.nan)


def _same_sign(value: float, sign: float) -> float:
    """1 where the effect has the right sign, or no sign."""
    return 1.0 if np.isnan(sign) or np.isnan(value) or np.sign(value) == sign else 0.0


def _shares(hits: Mapping[str, np.ndarray], chosen: np.ndarray) -> dict[str, dict[str, float] | None]:
    shares = {}
    for name, table in hits.items():
        trials = int(np.isfinite(table[:, chosen]).sum())
        found = clustered_share(table[:, chosen])
        named = {"share": found.value, "lower": found.lower, "upper": found.upper, "trials": trials}
        shares[name] = named if trials else None
    return shares


def _verdict(type_one: Mapping[str, float] | None) -> str:
    if type_one is None:
        return "unknown"
    if type_one["upper"] <= BRADLEY:
        return "trusted"
    return "not trusted" if type_one["lower"] > LEVEL else "unknown"
