"""Drawing baseline and first visit, some of it given.

Belongs here: the first links in their order, and conditioning on any of their columns. Does not belong here: what
happens after the first visit (``trajectory_sampler``).
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from models.additive_logit import AdditiveLogit, drawn
from models.event_tokens import Codes
from records.discretisation import encode_column
from records.longitudinal import LongitudinalSchema
from records.schema import Schema

PARTICLES = 100


def first_schema(schema: LongitudinalSchema) -> Schema:
    """Columns that are known at the first visit: baseline and measurements."""
    columns = (*schema.baseline, *schema.measurements)
    return Schema(name=schema.name, title=schema.title, columns=columns)


def draw_first(
    logits: Mapping[str, AdditiveLogit], schema: LongitudinalSchema, n: int, wanted: pl.DataFrame | None,
    rng: np.random.Generator,
) -> Codes:  # fmt: skip
    """Levels of baseline and first visit of ``n`` patients, shape (n,) each.

    Columns that are given before all others are simply taken over. If a given column comes after one that is drawn,
    100 draws of the latter are weighted by the likelihood of what is given and one is kept (likelihood weighting;
    Fung and Chang, 1989), which is exact in the limit of many.
    """
    columns = [*schema.baseline, *schema.measurements]
    known = {} if wanted is None else {c.name: encode_column(wanted[c.name], c) for c in columns if c.name in wanted}
    open_names = [i for i, c in enumerate(columns) if c.name not in known]
    late = bool(open_names) and any(c.name in known for c in columns[open_names[0] :])
    each = PARTICLES if late else 1
    codes, weight = {}, np.zeros(n * each)
    for column in columns:
        odds = logits[column.name].log_odds(codes, n * each)
        if column.name in known:
            codes[column.name] = np.repeat(known[column.name], each)
            highest = odds.max(axis=1)
            total = np.log(np.exp(odds - highest[:, None]).sum(axis=1)) + highest
            weight += odds[np.arange(n * each), codes[column.name]] - total
        else:
            codes[column.name] = drawn(odds, rng)
    kept = np.arange(n) * each + drawn(weight.reshape(n, each), rng)
    return {name: levels[kept] for name, levels in codes.items()}
