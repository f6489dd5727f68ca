"""The differentially private marginal synthesizer: an outcome star measured with Gaussian noise.

Belongs here: measuring, estimating and sampling one public structure. Does not belong here: counting (``oracle``).

The structure is public, so no budget goes into choosing it: every covariate is measured together with the task's
class (event within the horizon, none, or censored before; or the levels of the outcome column), and the survival
time with the event indicator in a table of its own. Given the class, covariates are drawn independently.
"""

import random
from typing import Self

import numpy as np
import polars as pl

from models.accounting import rho_to_epsilon, sigma_for
from models.decode import decode_column
from models.oracle import TableOracle
from records.discretisation import edges, encode_column, level_count
from records.errors import ParameterError, PhaseIVError
from records.privacy import Mechanism, PrivacySpend
from records.protocols import MarginalOracle
from records.schema import Column, Schema

FOLLOW_UP, TASK = "follow-up", "class"
TRIES = 100


class MarginalSynthesizer:
    """Outcome-star marginals under zCDP.

    Parameters
    ----------
    delta : float
        For the epsilon that ``privacy_`` states.
    noise_seed : int or None
        ``None`` draws noise from the operating system, as every release must; a seed is for tests.
    """

    def __init__(self, *, delta: float = 1e-5, noise_seed: int | None = None) -> None:
        self.delta = delta
        self.noise_seed = noise_seed

    def fit(self, table: pl.DataFrame, schema: Schema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Measure ``table`` (one patient per row); ``budget`` is zCDP rho, ``None`` measures without noise."""
        bits = random.Random(self.noise_seed) if self.noise_seed is not None else None
        return self.fit_oracle(TableOracle(_attributes(table, schema), bits=bits), schema, budget=budget)

    def fit_oracle(self, oracle: MarginalOracle, schema: Schema, *, budget: float | None) -> Self:
        """Measure patients that only ``oracle`` can see."""
        if budget is not None and not budget > 0:
            raise ParameterError(f"budget must be positive, got {budget}; choose a larger epsilon")
        covariates = [c.name for c in _covariates(schema)]
        queries = len(covariates) + 1
        sigma = sigma_for(budget, queries) if budget is not None else 0.0
        answers = {FOLLOW_UP: oracle.measure([FOLLOW_UP], sigma=sigma)}
        answers |= {name: oracle.measure([TASK, name], sigma=sigma) for name in covariates}
        self.privacy_ = _spend(budget, queries, sigma, self.delta)
        return self.load(answers, schema, sigma=sigma)

    def load(self, answers: dict[str, np.ndarray], schema: Schema, *, sigma: float) -> Self:
        """Take noisy answers as measured; a post-processing that costs nothing."""
        self.schema_, self.measurements_ = schema, answers
        self.follow_up_ = np.clip(answers[FOLLOW_UP], 0, None)
        task = task_of_follow_up(schema)
        totals = np.bincount(task, weights=answers[FOLLOW_UP], minlength=int(task.max()) + 1)
        tables = [answer.sum(axis=1) for name, answer in answers.items() if name != FOLLOW_UP]
        weights = np.array(
            [1 / answers[FOLLOW_UP].size, *(1 / a.shape[1] for n, a in answers.items() if n != FOLLOW_UP)]
        )
        totals = np.average([totals, *tables], axis=0, weights=weights)
        self.total_ = max(1, round(float(totals.sum())))
        self.task_ = _normalised(totals)
        self.given_task_ = {n: _conditional(a, sigma) for n, a in answers.items() if n != FOLLOW_UP}
        return self

    def sample(self, n: int | None = None, *, rng: np.random.Generator) -> pl.DataFrame:
        """Draw ``n`` rows, by default as many as the noisy total; every row fulfils the schema's constraints."""
        wanted = self.total_ if n is None else n
        kept = self._draw(wanted, rng)
        for _ in range(TRIES):
            if kept.height == wanted:
                return kept
            kept = pl.concat([kept, self._draw(wanted - kept.height, rng)])
        raise PhaseIVError(
            f"sampled rows must fulfil the constraints of {self.schema_.name}, got too few after {TRIES} tries; "
            "raise epsilon or relax the constraints in the codebook"
        )

    def _draw(self, n: int, rng: np.random.Generator) -> pl.DataFrame:
        task = rng.permutation(np.repeat(np.arange(self.task_.size), rounded(self.task_ * n, n, rng)))
        codes = self._codes(task, rng)
        frame = pl.DataFrame([decode_column(codes[c.name], c, rng) for c in self.schema_.columns])
        for constraint in self.schema_.constraints:
            frame = frame.filter(~constraint.broken())
        return frame

    def _codes(self, task: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        codes = {name: np.empty(task.size, dtype=np.int32) for name in [FOLLOW_UP, *self.given_task_]}
        of_follow_up = task_of_follow_up(self.schema_)
        for value in range(self.task_.size):
            rows = np.flatnonzero(task == value)
            shares = {n: p[value] for n, p in self.given_task_.items()}
            shares[FOLLOW_UP] = _normalised(np.where(of_follow_up == value, self.follow_up_, 0), of_follow_up == value)
            for name, share in shares.items():
                counts = rounded(share * rows.size, rows.size, rng)
                codes[name][rows] = rng.permutation(np.repeat(np.arange(share.size), counts))
        return codes | _unpacked(codes[FOLLOW_UP], self.schema_)


def rounded(expected: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Whole counts that sum to ``n`` with the given expectations (systematic randomised rounding)."""
    steps = np.floor(np.append(0, np.cumsum(expected))[:-1] + rng.random())
    return np.diff(np.append(steps, n + steps[0])).astype(int)


def task_of_follow_up(schema: Schema) -> np.ndarray:
    """Class of each follow-up level: 0 no event, 1 event within the horizon, 2 censored before it."""
    outcome = schema.outcomes[0]
    if outcome.column is not None:
        return np.arange(level_count(schema[outcome.column]))
    if schema.time is None or outcome.horizon is None:
        raise ParameterError(f"{schema.name} must have a follow-up time, got none; mend the codebook")
    beyond = edges(schema.time)[:-1] > outcome.horizon
    return np.stack([np.where(beyond, 0, 2), np.where(beyond, 0, 1)], axis=1).ravel()


def _packed(schema: Schema) -> list[Column]:
    """Columns that the follow-up attribute holds: time and event, or the outcome column."""
    outcome = schema.outcomes[0]
    if outcome.column is not None:
        return [schema[outcome.column]]
    return [c for c in (schema.time, schema.event) if c is not None]


def _unpacked(codes: np.ndarray, schema: Schema) -> dict[str, np.ndarray]:
    columns = _packed(schema)
    levels = [level_count(c) for c in columns]
    return dict(zip((c.name for c in columns), np.unravel_index(codes, levels), strict=True))


def _covariates(schema: Schema) -> list[Column]:
    held = {c.name for c in _packed(schema)}
    return [c for c in schema.columns if c.name not in held]


def _attributes(table: pl.DataFrame, schema: Schema) -> dict[str, tuple[np.ndarray, int]]:
    packed = _packed(schema)
    levels = [level_count(c) for c in packed]
    follow_up = np.ravel_multi_index([encode_column(table[c.name], c) for c in packed], levels)
    task = task_of_follow_up(schema)
    attributes = {FOLLOW_UP: (follow_up, int(np.prod(levels))), TASK: (task[follow_up], int(task.max()) + 1)}
    return attributes | {c.name: (encode_column(table[c.name], c), level_count(c)) for c in _covariates(schema)}


def _normalised(counts: np.ndarray, allowed: np.ndarray | None = None) -> np.ndarray:
    positive = np.clip(counts, 0, None)
    if positive.sum() == 0:
        positive = np.ones_like(positive) if allowed is None else allowed.astype(float)
    return positive / positive.sum()


def _conditional(answer: np.ndarray, sigma: float) -> np.ndarray:
    """Shares of levels given the class, shrunk towards the column's own shares as far as the noise is large."""
    overall = _normalised(answer.sum(axis=0))
    prior = sigma * np.sqrt(answer.shape[1])
    return np.array([_normalised(np.clip(row, 0, None) + prior * overall) for row in answer])


def _spend(rho: float | None, queries: int, sigma: float, delta: float) -> PrivacySpend:
    if rho is None:
        return PrivacySpend()
    purpose = "class x covariate and follow-up counts"
    used = (Mechanism("discrete Gaussian", purpose, rho, queries, sigma),)
    return PrivacySpend(used, rho=rho, epsilon=rho_to_epsilon(rho, delta), delta=delta)
