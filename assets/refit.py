"""Running a candidate's synthesizer again, for what one candidate cannot tell.

Belongs here: the function that evaluation repeats. Does not belong here: what is concluded from the repetitions
(``metrics``), or candidates for release (``answers``), which are debited and drawn with exact noise.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from records.schema import Schema

TOLERANCE = 1e-4  # of learning: a third of the time, see ``GraphicalSynthesizer``


def refit_of(
    name: str, epsilon: float | None, delta: float, schema: Schema
) -> Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]:
    """Training table and random generator to a synthetic table of as many rows.

    Noise is drawn from the generator: the tables never leave the evaluation, and only success rates are kept.

    Raises
    ------
    ParameterError
        The name is unknown, or the epsilon is not positive.
    """
    from models.graphical_synthesizer import GraphicalSynthesizer
    from models.registry import build
    from records.accounting import epsilon_to_rho

    build(name, delta=delta)
    rho = None if epsilon is None else epsilon_to_rho(epsilon, delta)

    def refit(table: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        model = build(name, delta=delta)
        if isinstance(model, GraphicalSynthesizer):
            model.secure, model.tolerance = False, TOLERANCE
        return model.fit(table.select(schema.names), schema, budget=rho, rng=rng).sample(table.height, rng=rng)

    return refit
