"""The non-private baseline: a Gaussian copula on ranks.

Belongs here: the bar that private synthesizers are held against. Does not belong here: any privacy claim.
"""

from typing import Self

import numpy as np
import polars as pl
from scipy.stats import norm

from models.decode import decode_column
from models.given import conditions
from models.rows import within_constraints
from records.discretisation import encode_column, level_count
from records.errors import ParameterError
from records.privacy import PrivacySpend
from records.schema import Column, Schema


class CopulaSynthesizer:
    """Gaussian copula over the codebook's levels (Nelsen, 2006); values are drawn inside their bins."""

    def fit(self, table: pl.DataFrame, schema: Schema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Learn margins and normal-score correlations; ``budget`` must be ``None``."""
        if budget is not None:
            raise ParameterError(f"budget must be none for the copula, got {budget}; choose the synthesizer marginals")
        if table.height < 50:
            raise ParameterError(f"the table must have at least 50 rows, got {table.height}; add patients")
        self.schema_, self.total_, self.privacy_ = schema, table.height, PrivacySpend()
        codes = [encode_column(table[c.name], c) for c in schema.columns]
        self.cumulative_ = [_cumulative(code, c) for code, c in zip(codes, schema.columns, strict=True)]
        scores = np.stack([_scores(code, cdf, rng) for code, cdf in zip(codes, self.cumulative_, strict=True)])
        self.correlation_ = np.corrcoef(scores) + 1e-9 * np.eye(len(scores))
        return self

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """Draw rows that fulfil the schema's constraints; see ``records.protocols.Synthesizer``."""
        if given is None:
            return within_constraints(lambda rows: self._drawn(rows.size, None, rng), n or self.total_, self.schema_)
        wanted = conditions(given, self.schema_, n)
        return within_constraints(lambda rows: self._drawn(rows.size, wanted[rows], rng), wanted.height, self.schema_)

    def _drawn(self, n: int, given: pl.DataFrame | None, rng: np.random.Generator) -> pl.DataFrame:
        names = self.schema_.names
        scores = rng.multivariate_normal(np.zeros(len(names)), self.correlation_, size=n, method="cholesky")
        if given is not None:
            known = [names.index(name) for name in given.columns]
            fixed = [
                _scores(encode_column(given[names[j]], self.schema_.columns[j]), self.cumulative_[j], rng)
                for j in known
            ]
            # A draw becomes one from the conditional normal by moving along the regression on the known scores.
            weights = np.linalg.solve(self.correlation_[np.ix_(known, known)], self.correlation_[known])
            scores = scores + (np.stack(fixed, axis=1) - scores[:, known]) @ weights
        uniform = norm.cdf(scores)
        drawn = [
            decode_column(np.searchsorted(cdf[1:-1], uniform[:, j], side="right"), column, rng)
            for j, (column, cdf) in enumerate(zip(self.schema_.columns, self.cumulative_, strict=True))
        ]
        frame = pl.DataFrame(drawn)
        return frame if given is None else frame.with_columns(given[c] for c in given.columns)


def _cumulative(codes: np.ndarray, column: Column) -> np.ndarray:
    counts = np.bincount(codes, minlength=level_count(column))
    return np.append(0, np.cumsum(counts) / codes.size)


def _scores(codes: np.ndarray, cumulative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = cumulative[codes], cumulative[codes + 1]
    return norm.ppf(np.clip(low + rng.random(codes.size) * (high - low), 1e-6, 1 - 1e-6))
