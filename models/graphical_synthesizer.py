"""The differentially private synthesizer: select, measure, generate.

Belongs here: the ``Synthesizer`` that ties selection, measurement, estimation and sampling together. Does not belong
here: each of these steps (``aim``, ``mst``, ``oracle``, ``estimation``, ``graphical_model``).
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np
import polars as pl

from models.aim import adapt
from models.attributes import (
    FOLLOW_UP,
    attribute_levels,
    attributes_of,
    class_attribute,
    decode_attributes,
    encode_attributes,
    evidence,
)
from models.conditional_sampling import sample, sample_given
from models.estimation import Measurement, estimate, estimated_total, expected_error
from models.given import conditions
from models.graphical_model import GraphicalModel
from models.junction_tree import junction_tree
from models.mst import spanning_tree
from models.oracle import TableOracle
from models.posterior import posterior_models
from models.quantile_bins import quantile_binned
from models.rare_levels import RareLevels, rare_levels
from models.rows import within_constraints
from models.selection import Selection, declared, start
from models.structure import structural_zeros
from models.workload import public_start, workload
from records.accounting import rho_to_epsilon
from records.errors import ParameterError
from records.privacy import PrivacySpend
from records.protocols import MarginalOracle
from records.schema import Schema

SELECTIONS = ("auto", "aim", "mst", "star", "declared")
START_SHARE = 0.5
TOO_NOISY_TO_ADAPT = 0.05
TOO_NOISY_WITHOUT_TASK = 0.1  # without a task the start measures no pair, so that adapting pays longer
HIDES_NOBODY = 100.0  # zCDP rho at which noise is below one patient
CELLS_PER_PATIENT = 2
QUANTILE_SHARE = 0.1
RARE_SHARE = 0.1
Progress = Callable[[float], None]


class GraphicalSynthesizer:
    """Select-measure-generate under zCDP (McKenna, Miklau and Sheldon, 2021) that follows the prediction task.

    Parameters
    ----------
    selection : {"auto", "aim", "mst", "star", "declared"}
        ``star`` measures every covariate with the task's class and nothing else; ``aim`` spends half of the budget
        so and then adapts; ``auto`` adapts only if the noise of that first half is small enough, which it can tell
        from the noisy counts; without a task ``star`` leaves all columns independent; ``mst`` knows no task; ``declared`` measures ``marginals``, for valid inference.
    marginals : sequence of sequences of str
        Columns that an analysis uses together, for ``declared``; ``class`` names the primary outcome's class.
    quantile_bins : int or None
        Cut numeric columns without clinical cut points at this many private quantiles, for a tenth of the budget.
    delta : float
        For the epsilon that ``privacy_`` states.
    secure : bool
        Draw noise from the operating system, as every release must. ``False`` draws it from ``rng``, so that a run
        can be repeated: for tests and benchmarks only, since who knows the seed can take the noise away.
    most_cells : int
        Size cap of the junction tree's tables; memory stays below about 100 bytes a cell.
    tolerance : float
        Learning ends when a step lowers the loss by less than this share; 1e-4 takes a third of the time and moves mean
        two-way distances by .0002 (lung cohort, epsilon 5, four seeds).
    progress : callable or None
        Told the share of the budget spent, 0 to 1.

    Where the codebook lists more than 20 levels, those that noise would drown are merged for a tenth of the budget while
    the model is learnt, and drawn again by their noisy counts (``models.rare_levels``).

    Attributes
    ----------
    measurements_ : list of Measurement
        All that was learnt from the patients; the rest is post-processing.
    privacy_ : PrivacySpend
    rare_ : RareLevels
    model_ : GraphicalModel
    total_ : int
        Noisy number of patients.
    expected_error_ : float
        Total variation distance by which noise alone moves a first measurement.
    """

    def __init__(
        self, *, selection: str = "auto", marginals: Sequence[Sequence[str]] = (),
        quantile_bins: int | None = None, delta: float = 1e-5, secure: bool = True, most_cells: int = 200_000, tolerance: float = 1e-6,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self.selection = selection
        self.marginals = marginals
        self.quantile_bins = quantile_bins
        self.delta = delta
        self.secure = secure
        self.most_cells = most_cells
        self.tolerance = tolerance
        self.progress = progress

    def fit(self, table: pl.DataFrame, schema: Schema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Measure ``table`` (one patient per row); ``budget`` is zCDP rho, ``None`` asks for exact counts.

        Without a budget the selection is planned as if there were one that hides nobody, and the model stays small,
        so that it learns the patients' distribution and not the patients.

        Raises
        ------
        ParameterError
            The budget is not positive, or the selection is unknown.
        """
        bits = None if self.secure else random.Random(int(rng.integers(2**63)))
        exact, rho = budget is None, HIDES_NOBODY if budget is None else self._positive(budget)
        paid = Selection()
        if self.quantile_bins:
            share = QUANTILE_SHARE * rho
            schema, paid = quantile_binned(table, schema, bins=self.quantile_bins, rho=share, bits=bits, exact=exact)
        rare, found = rare_levels(table, schema, rho=RARE_SHARE * rho, bits=bits, exact=exact)
        merged = rare.schema(schema)
        oracle = TableOracle(encode_attributes(rare.merged(table), merged), bits=bits, exact=exact)
        if exact:
            done = self._selected(oracle, merged, rho, min(self.most_cells, CELLS_PER_PATIENT * table.height))
            self.privacy_ = PrivacySpend()
            return self.load(done.measurements, schema, rare)
        return self._fitted(oracle, schema, rho, paid + found, rare)

    def fit_oracle(self, oracle: MarginalOracle, schema: Schema, *, budget: float) -> Self:
        """Measure patients that only ``oracle`` can see, on the codebook's bins and levels; ``budget`` is zCDP rho."""
        return self._fitted(oracle, schema, self._positive(budget), Selection(), RareLevels())

    def _positive(self, budget: float) -> float:
        if not 0 < budget < float("inf"):
            raise ParameterError(f"budget must be positive for {self.selection}, got {budget}; choose an epsilon > 0")
        return budget

    def _fitted(
        self, oracle: MarginalOracle, schema: Schema, budget: float, paid: Selection, rare: RareLevels
    ) -> Self:  # fmt: skip
        done = paid + self._selected(oracle, rare.schema(schema), budget - paid.rho, self.most_cells)
        rho = min(done.rho, budget)
        spend = rho_to_epsilon(rho, self.delta)
        used = tuple(done.mechanisms)
        self.privacy_ = PrivacySpend(used, rho=rho, epsilon=spend, delta=self.delta, secure=self.secure)
        return self.load(done.measurements, schema, rare)

    def load(self, measurements: list[Measurement], schema: Schema, rare: RareLevels) -> Self:
        """Learn from measurements that were taken before; a post-processing that costs nothing."""
        self.schema_, self.measurements_, self.rare_ = schema, measurements, rare
        self._merged = rare.schema(schema)
        self.total_ = round(estimated_total(measurements))
        self.expected_error_ = expected_error(measurements[: len(self.marginals) or _started(self._merged)])
        self.model_, self._thetas = _learnt(self._merged, measurements, [], steps=1000, tolerance=self.tolerance)
        return self

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """Draw rows that fulfil the schema's constraints; see ``records.protocols.Synthesizer``."""
        if given is None:
            return within_constraints(lambda rows: self._drawn(rows.size, rng), n or self.total_, self.schema_)
        wanted = conditions(given, self.schema_, n)
        return within_constraints(lambda rows: self._drawn_given(wanted[rows], rng), wanted.height, self.schema_)

    def sample_tables(self, tables: int, *, rng: np.random.Generator, n: int | None = None) -> Iterator[pl.DataFrame]:
        """Tables for ``models.inference``, each of ``n`` independent rows from another draw of the posterior.

        By default ``n`` is four times the patients, so that the rows' own sampling adds little. Together they carry the uncertainty that sampling patients and noise have left, which one table cannot show.
        Pooled estimates hold what they say for analyses inside the measured marginals (``selection="declared"``).
        """
        for model in self.posterior(tables, rng):
            yield within_constraints(
                lambda rows, m=model: self._decoded(sample(m, rows.size, rng, rounded=False), rng),
                n or 4 * self.total_, self.schema_,
            )  # fmt: skip

    def posterior(self, draws: int, rng: np.random.Generator) -> Iterator[GraphicalModel]:
        """Models that the measurements leave possible (``models.posterior``)."""
        return posterior_models(self.model_, self.measurements_, self._relearnt, draws, rng)

    def _relearnt(self, measurements: list[Measurement]) -> GraphicalModel:
        return _learnt(self._merged, measurements, self._thetas, steps=100, tolerance=1e-4)[0]

    def _drawn(self, n: int, rng: np.random.Generator) -> pl.DataFrame:
        return self._decoded(sample(self.model_, n, rng), rng)

    def _decoded(self, codes: dict[str, np.ndarray], rng: np.random.Generator) -> pl.DataFrame:
        return self.rare_.split(decode_attributes(codes, self._merged, rng), self.schema_, rng)

    def _drawn_given(self, wanted: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        known, allowed = evidence(self.rare_.merged(wanted), self._merged)
        drawn = self._decoded(sample_given(self.model_, known, rng, allowed), rng)
        return drawn.with_columns(wanted[c] for c in wanted.columns)

    def _selected(self, oracle: MarginalOracle, schema: Schema, rho: float, most_cells: int) -> Selection:
        levels, task = attribute_levels(schema), class_attribute(schema)
        if self.selection == "mst":
            return spanning_tree(oracle, levels, [c for _, c in structural_zeros(schema)], rho=rho)
        if self.selection == "declared":
            return declared(oracle, levels, [attributes_of(names, schema) for names in self.marginals], rho=rho)
        if self.selection not in SELECTIONS:
            raise ParameterError(f"selection must be one of {', '.join(SELECTIONS)}, got {self.selection}; choose one")
        done = start(oracle, levels, task, rho=START_SHARE * rho)
        too_noisy = expected_error(done.measurements) > most_noise(schema)
        if self.selection == "star" or (self.selection == "auto" and too_noisy):
            return done + start(oracle, levels, task, rho=rho - done.rho)
        return adapt(
            oracle, done, workload(levels, task), levels, _Learner(schema),
            limit=rho, rounds=2 * len(levels), most_cells=most_cells, progress=self.progress,
        )  # fmt: skip


def most_noise(schema: Schema) -> float:
    """Share by which noise may move a first measurement where ``auto`` still adapts (decision 4)."""
    return TOO_NOISY_TO_ADAPT if schema.outcomes else TOO_NOISY_WITHOUT_TASK


def _started(schema: Schema) -> int:
    """How many measurements came before any adaptation."""
    levels = attribute_levels(schema)
    return len(public_start(levels, class_attribute(schema))) + (FOLLOW_UP in levels)


class _Learner:
    """Learns again after each measurement, from where it was."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.thetas: list[np.ndarray] = []

    def __call__(self, measurements: list[Measurement]) -> GraphicalModel:
        model, self.thetas = _learnt(self.schema, measurements, self.thetas, steps=60, tolerance=1e-4)
        return model


def _learnt(
    schema: Schema, measurements: list[Measurement], start: list[np.ndarray], *, steps: int, tolerance: float
) -> tuple[GraphicalModel, list[np.ndarray]]:
    structure = structural_zeros(schema)
    cliques = [m.attributes for m in measurements] + [clique for _, clique in structure]
    tree = junction_tree(attribute_levels(schema), cliques)
    return estimate(tree, measurements, structure, start, steps=steps, tolerance=tolerance)
