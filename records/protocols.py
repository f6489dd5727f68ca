"""Protocols that sibling packages share without importing each other.

Belongs here: the contracts ``MarginalOracle``, ``Synthesizer`` and ``ImageSynthesizer``. Does not belong here:
implementations.
"""

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
import polars as pl

from records.images.schema import ImageSchema
from records.images.table import ImageTable
from records.privacy import PrivacySpend
from records.schema import Schema


class MarginalOracle(Protocol):
    """Answers contingency-table queries about patients it alone can see, with Gaussian noise.

    The local oracle counts a table; a federated oracle runs a multi-party computation. One patient changes one
    cell of each table by one, so the L2 sensitivity of each query is 1.
    """

    def measure(self, attributes: Sequence[str], *, sigma: float) -> np.ndarray:
        """Noisy counts, shape = the attributes' numbers of levels in the order given."""
        ...

    def measure_all(self, many: Sequence[Sequence[str]], *, sigma: float) -> list[np.ndarray]:
        """``measure`` of each, with independent noise; where the patients are far away, in one exchange."""
        ...

    def choose(
        self, candidates: Sequence[Sequence[str]], estimates: Sequence[np.ndarray], weights: Sequence[float],
        penalties: Sequence[float], *, epsilon: float,
    ) -> int:  # fmt: skip
        """Index of a candidate whose counts differ much from ``estimates``, by the exponential mechanism.

        A candidate's score is its weight times (L1 distance of its true counts from the estimate, less its penalty).
        ``epsilon`` is the pure differential privacy of the choice; it costs ``epsilon ** 2 / 8`` in zCDP.
        """
        ...


class Synthesizer(Protocol):
    """Learns a table and samples new rows of the same schema; fitted state ends in an underscore."""

    privacy_: PrivacySpend
    schema_: Schema
    total_: int

    def fit(self, table: pl.DataFrame, schema: Schema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Learn from ``table``; ``budget`` is zCDP rho, ``None`` for a synthesizer without differential privacy."""
        ...

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """Draw ``n`` rows with exactly the schema's columns, types, levels and bounds.

        Parameters
        ----------
        n : int or None
            By default as many as the fit learnt from (its noisy total under differential privacy).
        rng : numpy.random.Generator
        given : polars.DataFrame or None
            Conditional sampling: values of some of the schema's columns, either one row that holds for all drawn
            rows, or one row for each of them, in order. The drawn rows carry these values.
        """
        ...


class ImageSynthesizer(Protocol):
    """Learns slices of patients and draws new ones under the same codebook; fitted state ends in an underscore."""

    privacy_: PrivacySpend
    schema_: ImageSchema
    total_: int

    def fit(self, table: ImageTable, schema: ImageSchema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Learn from ``table``; ``budget`` is zCDP rho, ``None`` for a synthesizer without differential privacy.

        The privacy unit is the schema's: one patient with all slices, or one image.
        """
        ...

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> ImageTable:
        """Draw ``n`` synthetic patients of one slice each, inside the codebook's window, size and labels.

        Parameters
        ----------
        n : int or None
            By default as many as the fit learnt from (its noisy total under differential privacy).
        rng : numpy.random.Generator
        given : polars.DataFrame or None
            Values of some of the labels and clinical columns: one row for all drawn images, or one for each, in order.
        """
        ...
