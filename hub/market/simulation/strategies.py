"""What a holder can do with its data: honestly, or to earn more.

Belongs here: from a holder's own patients and what it could steal to what it lists. Does not belong here: what it earns
(``rules``), the market (``rounds``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from hub.market.simulation.table import LABEL
from hub.market.splits import split
from hub.valuation.features import numbers
from hub.valuation.nearest import squared_distances
from records.schema import Column, Kind, Schema

SMALL, LARGE = 0.005, 0.03  # jitter as a part of a column's range
Listed = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Means:
    """What a holder has: its ``own`` patients, and ``others``', which have leaked; tables as in ``table.Study``."""

    own: pl.DataFrame
    others: pl.DataFrame
    schema: Schema
    rng: np.random.Generator


@dataclass(frozen=True)
class Strategy:
    """``listed`` gives a table for each name under which the holder appears; ``early``: it registers before all others."""

    name: str
    kind: str
    words: str
    listed: Callable[[Means], Listed]
    early: bool = False


def honest(means: Means) -> Listed:
    """The holder's own patients as they are."""
    return {"focal": means.own}


def with_random_labels(means: Means) -> Listed:
    """Outcomes in random order: patients of whom nobody knows the outcome."""
    return {"focal": _shuffled(means.own, means)}


def invented(means: Means) -> Listed:
    """As many invented patients, each column drawn by itself, outcomes at random."""
    return {"focal": _invented(means.own.height, means)}


def copying(means: Means) -> Listed:
    """Nothing of its own: another holder's rows."""
    return {"focal": means.others}


def own_and_copies(means: Means) -> Listed:
    """Its own patients and another holder's."""
    return {"focal": pl.concat([means.own, means.others])}


def disguised(sd: float) -> Callable[[Means], Listed]:
    """Its own patients and another holder's with jittered numbers."""
    return lambda means: {"focal": pl.concat([means.own, jittered(means.others, means, sd)])}


def repeating(means: Means) -> Listed:
    """Its own patients three times."""
    return {"focal": pl.concat([means.own] * 3)}


def repeating_disguised(sd: float) -> Callable[[Means], Listed]:
    """Its own patients, and twice more with jittered numbers."""
    return lambda means: {"focal": pl.concat([means.own, *(jittered(means.own, means, sd) for _ in range(2))])}


def two_names(means: Means) -> Listed:
    """The same patients under two names."""
    return {"focal": means.own, "focal 2": means.own}


def divided(means: Means) -> Listed:
    """Its own patients divided among three names."""
    return {f"focal {i}" if i else "focal": means.own[i::3] for i in range(3)}


def poisoning(means: Means) -> Listed:
    """Its own patients with the wrong outcome."""
    turned = means.own[LABEL].cast(pl.String).replace({"0": "1", "1": "0"}).cast(means.own.schema[LABEL])
    return {"focal": means.own.with_columns(turned)}


def withholding(means: Means) -> Listed:
    """Half of its patients."""
    return {"focal": means.own[: means.own.height // 2]}


def adding_junk(means: Means) -> Listed:
    """Its own patients and as many invented ones."""
    return {"focal": pl.concat([means.own, _invented(means.own.height, means)])}


def typical_only(means: Means) -> Listed:
    """Without the patients whose nearest own neighbours had another outcome: cherry-picking."""
    far = squared_distances(*(numbers(means.own, means.schema.features()),) * 2)
    np.fill_diagonal(far, np.inf)
    labels = means.own[LABEL].cast(pl.String).cast(pl.Int64).to_numpy()
    near = labels[np.argsort(far, axis=1)[:, :5]].mean(axis=1)
    kept = (near >= 0.5) == (labels == 1)
    return {"focal": means.own.filter(pl.Series(kept)) if len(np.unique(labels[kept])) == 2 else means.own}


STRATEGIES: Mapping[str, Strategy] = {
    one.name: one
    for one in (
        Strategy("honest", "honest", "own patients as they are", honest),
        Strategy("random outcomes", "free-riding", "own patients, outcomes in random order", with_random_labels),
        Strategy("invented", "free-riding", "invented patients", invented),
        Strategy("copying", "copying", "another's rows only", copying),
        Strategy("own + copies", "copying", "own patients and another's rows", own_and_copies),
        Strategy("own + copies, jitter 0.5 %", "copying", "copies with numbers moved by 0.5 % of the range", disguised(SMALL)),
        Strategy("own + copies, jitter 3 %", "copying", "copies with numbers moved by 3 % of the range", disguised(LARGE)),
        Strategy("own + copies, first", "copying", "own and another's rows, registered before the owner", own_and_copies, early=True),
        Strategy("own rows x 3", "strategic", "own patients three times", repeating),
        Strategy("own rows x 3, jitter 0.5 %", "strategic", "own patients, two copies jittered", repeating_disguised(SMALL)),
        Strategy("own rows x 3, jitter 3 %", "strategic", "own patients, two copies jittered more", repeating_disguised(LARGE)),
        Strategy("two names", "colluding", "the same patients under two names", two_names),
        Strategy("divided in three", "colluding", "own patients among three names", divided),
        Strategy("poisoning", "poisoning", "own patients with the wrong outcome", poisoning),
        Strategy("withholding half", "strategic", "half of the patients", withholding),
        Strategy("adding junk", "strategic", "own patients and as many invented", adding_junk),
        Strategy("cherry-picking", "strategic", "without patients unlike their own neighbours", typical_only),
    )
}  # fmt: skip


def jittered(frame: pl.DataFrame, means: Means, sd: float) -> pl.DataFrame:
    """Numbers moved by a normal with ``sd`` as a part of their range, in the recording step, within bounds."""
    moved = [_moved(frame[c.name], c, means.rng, sd) for c in means.schema.columns if c.numeric]
    return frame.with_columns(moved)


def dealt(rows: int, sizes: Mapping[str, float], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Row numbers divided at random in proportion to ``sizes``."""
    order, begin, found = rng.permutation(rows), 0, {}
    for name, size in split(rows, sizes).items():
        found[name] = order[begin : begin + size]
        begin += size
    return found


def _moved(values: pl.Series, column: Column, rng: np.random.Generator, sd: float) -> pl.Series:
    low, high = float(column.minimum or 0), float(column.maximum or 0)
    step = column.step or (1.0 if column.kind is Kind.INTEGER else 1e-6)
    noise = rng.normal(0, max(sd * (high - low), step / 2), len(values))
    raw = values.cast(pl.Float64).fill_null(low).to_numpy() + noise
    moved = np.clip(np.round(raw / step) * step, low, high)
    known = pl.Series(values.name, moved).cast(column.dtype)
    return pl.select(pl.when(values.is_not_null()).then(known).otherwise(None).alias(values.name)).to_series()


def _invented(rows: int, means: Means) -> pl.DataFrame:
    """Each column of the holder's own patients in an order of its own, drawn with replacement."""
    own = means.own
    drawn = [own[name].gather(means.rng.integers(0, own.height, rows)) for name in own.columns]
    return pl.DataFrame(drawn)


def _shuffled(frame: pl.DataFrame, means: Means) -> pl.DataFrame:
    order = means.rng.permutation(frame.height)
    return frame.with_columns(frame[LABEL].gather(order))
