"""The differentially private synthesizer: select, measure, generate.

Belongs here: the ``Synthesizer`` that ties selection, measurement, estimation and sampling together. Does not belong
here: each of these steps (``aim``, ``oracle``, ``estimation``, ``graphical_model``).
"""

import random
from typing import Self

import numpy as np
import polars as pl

from models.accounting import rho_to_epsilon
from models.aim import Selection, adapt, measure_together
from models.attributes import (
    CLASS, FOLLOW_UP, attribute_levels, class_attribute, class_of_follow_up, decode_attributes, encode_attributes,
)  # fmt: skip
from models.estimation import Measurement, estimate, estimated_total
from models.graphical_model import IMPOSSIBLE, GraphicalModel, Labelled
from models.junction_tree import Clique, JunctionTree, junction_tree
from models.oracle import TableOracle
from models.workload import public_start, workload
from records.errors import ParameterError, PhaseIVError
from records.privacy import PrivacySpend
from records.protocols import MarginalOracle
from records.schema import Schema

TRIES = 100


class GraphicalSynthesizer:
    """Select-measure-generate under zCDP (McKenna, Miklau and Sheldon, 2021) that follows the prediction task."""

    def __init__(
        self, *, delta: float = 1e-5, secure: bool = True, start_share: float = 0.4, rounds: int | None = None,
        most_cells: int = 200_000,
    ) -> None:  # fmt: skip
        self.delta = delta
        self.secure = secure
        self.start_share = start_share
        self.rounds = rounds
        self.most_cells = most_cells

    def fit(self, table: pl.DataFrame, schema: Schema, *, budget: float | None, rng: np.random.Generator) -> Self:
        bits = None if self.secure else random.Random(int(rng.integers(2**63)))
        return self.fit_oracle(TableOracle(encode_attributes(table, schema), bits=bits), schema, budget=budget)

    def fit_oracle(self, oracle: MarginalOracle, schema: Schema, *, budget: float | None) -> Self:
        if budget is None or not budget > 0:
            raise ParameterError(f"budget must be positive, got {budget}; choose a larger epsilon")
        levels, task = attribute_levels(schema), class_attribute(schema)
        done = measure_together(oracle, public_start(levels, task), self.start_share * budget, "class x covariate counts")
        rounds = self.rounds or 2 * len(levels)

        thetas: list[np.ndarray] = []
        structure = structural_zeros(schema)

        def learn(measurements: list[Measurement]) -> GraphicalModel:
            nonlocal thetas
            tree = junction_tree(levels, [m.attributes for m in measurements] + [c for _, c in structure])
            model, thetas = estimate(tree, measurements, structure, thetas, steps=60, tolerance=1e-4)
            return model

        if self.start_share < 1:
            done = adapt(
                oracle, done, workload(levels, task), levels, learn,
                rho=(1 - self.start_share) * budget, rounds=rounds, most_cells=self.most_cells,
            )  # fmt: skip
        rho = min(done.rho, budget)
        self.privacy_ = PrivacySpend(
            tuple(done.mechanisms), rho=rho, epsilon=rho_to_epsilon(rho, self.delta), delta=self.delta
        )
        return self.load(done.measurements, schema)

    def load(self, measurements: list[Measurement], schema: Schema) -> Self:
        self.schema_, self.measurements_ = schema, measurements
        self.total_ = round(estimated_total(measurements))
        structure = structural_zeros(schema)
        tree = junction_tree(attribute_levels(schema), [m.attributes for m in measurements] + [c for _, c in structure])
        self.model_, _ = estimate(tree, measurements, structure, [], steps=1000, tolerance=1e-6)
        return self

    def sample(self, n=None, *, rng, given=None) -> pl.DataFrame:
        wanted = self.total_ if n is None else n
        frame = pl.DataFrame()
        kept = self._draw(wanted, rng)
        for _ in range(TRIES):
            if kept.height == wanted:
                return kept
            kept = pl.concat([kept, self._draw(wanted - kept.height, rng)])
        raise PhaseIVError("x")

    def _draw(self, n, rng):
        frame = decode_attributes(self.model_.sample(n, rng), self.schema_, rng)
        for constraint in self.schema_.constraints:
            frame = frame.filter(~constraint.broken())
        return frame


def structural_zeros(schema: Schema) -> list[Labelled]:
    """Log-potential that allows only the class that follow-up implies."""
    if class_attribute(schema) != CLASS:
        return []
    of_follow_up = class_of_follow_up(schema)
    allowed = of_follow_up[:, None] == np.arange(int(of_follow_up.max()) + 1)
    return [(np.where(allowed, 0.0, IMPOSSIBLE), (FOLLOW_UP, CLASS))]
