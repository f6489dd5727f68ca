"""Holders of invented patients for the tests of valuation."""

import numpy as np
import polars as pl

from hub.valuation.contribution import Holding
from hub.valuation.features import labelled
from hub.valuation.fingerprints import fingerprints
from hub.valuation.nearest import Labelled
from records.schema import Column, Kind, Outcome, Role, Schema

KEY = b"agreed by the holders, not the hub"
NUMBERS = [
    Column(name=f"x{i}", label=f"Number {i}", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=-4, maximum=4, step=0.01)
    for i in range(5)
]
CASE = Column(name="case", label="Case", role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"0": "no", "1": "yes"})
WARD = Column(
    name="ward", label="Ward", role=Role.COVARIATE, kind=Kind.CATEGORY, levels={"a": "A", "b": "B"}, missing=True
)
ID = Column(name="id", label="Id", role=Role.IDENTIFIER, kind=Kind.INTEGER, minimum=0, maximum=10**9)
SCHEMA = Schema(
    name="invented", title="Invented", columns=(ID, *NUMBERS, WARD, CASE),
    outcomes=(Outcome(name="case", label="Case", column="case", positive=("1",)),),
)  # fmt: skip


def patients(seed: int, rows: int) -> pl.DataFrame:
    """Patients whose numbers foretell the outcome."""
    rng = np.random.default_rng(seed)
    case = rng.integers(0, 2, rows)
    case[:2] = 0, 1
    values = np.clip(np.round(rng.normal(size=(rows, len(NUMBERS))) + 0.8 * (case[:, None] - 0.5), 2), -4, 4)
    frame = pl.DataFrame(
        {"id": rng.integers(0, 10**9, rows), **{c.name: values[:, i] for i, c in enumerate(NUMBERS)},
         "ward": rng.choice(["a", "b"], rows), "case": case.astype(str)}
    )  # fmt: skip
    return frame.cast({"ward": WARD.dtype, "case": CASE.dtype})  # type: ignore[dict-item]


def of_nobody(seed: int, rows: int = 80) -> Labelled:
    """Test patients of nobody."""
    return labelled(patients(seed + 10_000, rows), SCHEMA, SCHEMA.outcomes[0])[0]


def holding(frame: pl.DataFrame, registered: float = 0.0) -> Holding:
    """A holder's part of a valuation."""
    return Holding(
        labelled(frame, SCHEMA, SCHEMA.outcomes[0])[0], fingerprints(frame, SCHEMA, KEY), registered
    )  # fmt: skip


def shuffled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same patients with outcomes in random order."""
    return frame.with_columns(frame["case"].sample(fraction=1.0, shuffle=True, seed=seed))
