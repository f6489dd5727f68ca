"""The non-private baseline: a Gaussian copula on ranks.

Belongs here: the bar that private synthesizers are held against. Does not belong here: any privacy claim.
"""

from typing import Self

import numpy as np
import polars as pl
from scipy.stats import norm

from models.decode import decode_column
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
        self.correlation_ = np.corrcoef(scores)
        return self

    def sample(self, n: int | None = None, *, rng: np.random.Generator) -> pl.DataFrame:
        """Draw ``n`` rows, by default as many as were learnt from; constraints hold in every row."""
        wanted = self.total_ if n is None else n
        factor = np.linalg.cholesky(self.correlation_ + 1e-9 * np.eye(len(self.correlation_)))
        kept = self._draw(wanted, factor, rng)
        for _ in range(100):
            if kept.height >= wanted:
                break
            kept = pl.concat([kept, self._draw(wanted, factor, rng)])
        return kept.head(wanted)

    def _draw(self, n: int, factor: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        uniform = norm.cdf(rng.standard_normal((n, len(factor))) @ factor.T)
        columns = [
            decode_column(np.searchsorted(cdf[1:-1], uniform[:, j], side="right"), column, rng)
            for j, (column, cdf) in enumerate(zip(self.schema_.columns, self.cumulative_, strict=True))
        ]
        frame = pl.DataFrame(columns)
        for constraint in self.schema_.constraints:
            frame = frame.filter(~constraint.broken())
        return frame


def _cumulative(codes: np.ndarray, column: Column) -> np.ndarray:
    counts = np.bincount(codes, minlength=level_count(column))
    return np.append(0, np.cumsum(counts) / codes.size)


def _scores(codes: np.ndarray, cumulative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = cumulative[codes], cumulative[codes + 1]
    return norm.ppf(np.clip(low + rng.random(codes.size) * (high - low), 1e-6, 1 - 1e-6))
