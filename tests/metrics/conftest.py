"""A small made-up cohort with a known association, and tables drawn from it."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from records.privacy import Mechanism, PrivacySpend
from records.schema import Column, Kind, Outcome, Role, Schema

Draw = Callable[[int, int], pl.DataFrame]
YES_NO = {"0": "No", "1": "Yes"}


@pytest.fixture(scope="session")
def schema() -> Schema:
    return Schema(
        name="made_up",
        title="Made-up cohort",
        columns=(
            Column(name="patient", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
            Column(name="hospital", label="Hospital", role=Role.SITE, kind=Kind.CATEGORY,
                   levels={"a": "A", "b": "B"}),
            Column(
                name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, unit="a", minimum=20, maximum=95
            ),
            Column(
                name="marker", label="Marker", role=Role.COVARIATE, kind=Kind.NUMBER, unit="ug/L", minimum=0,
                maximum=50, missing=True, bins=(1, 2, 5, 10),
            ),
            Column(name="stage", label="Stage <II>", role=Role.COVARIATE, kind=Kind.CATEGORY,
                   levels={"i": "Stage I", "ii": "Stage II", "iii": "Stage III"}, missing=True),
            Column(name="smoker", label="Smoker", role=Role.SENSITIVE, kind=Kind.CATEGORY, levels=YES_NO),
            Column(name="doctor_guess", label="Survival guess", role=Role.COVARIATE, kind=Kind.NUMBER, leakage=True,
                   minimum=0, maximum=1),
            Column(name="recurrence", label="Recurrence", role=Role.SENSITIVE, kind=Kind.CATEGORY, levels=YES_NO),
            Column(name="time", label="Follow-up", role=Role.TIME, kind=Kind.INTEGER, unit="d", minimum=0,
                   maximum=2000),
            Column(name="event", label="Death", role=Role.EVENT, kind=Kind.CATEGORY, levels=YES_NO),
        ),
        outcomes=(
            Outcome(name="death_1y", label="Death within one year", horizon=365),
            Outcome(name="recurrence", label="Recurrence", column="recurrence", positive=("1",)),
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def draw(schema: Schema) -> Draw:
    """``draw(rows, seed)``: patients whose risk depends on age, marker and stage; columns out of schema order."""

    def table(rows: int, seed: int) -> pl.DataFrame:
        rng = np.random.default_rng(seed)
        age, marker = rng.integers(40, 91, rows), np.minimum(rng.lognormal(1, 0.8, rows), 50)
        stage, smoker = rng.choice(3, rows, p=[0.5, 0.3, 0.2]), rng.integers(2, size=rows)
        risk = np.exp(0.05 * (age - 65) + 0.9 * (stage - 1) + 0.6 * np.log(marker / 3))
        death, censored = rng.exponential(900 / risk), rng.uniform(100, 2000, rows)
        frame = pl.DataFrame(
            {
                "extra": np.arange(rows),
                "event": np.where(death <= censored, "1", "0"),
                "time": np.minimum(np.minimum(death, censored), 2000).astype(int),
                "patient": [f"p{seed}-{i}" for i in range(rows)],
                "hospital": np.where(rng.random(rows) < 0.6, "a", "b"),
                "age": age,
                "marker": np.where(rng.random(rows) < 0.1, np.nan, marker),
                "stage": np.array(["i", "ii", "iii"])[stage],
                "smoker": smoker.astype(str),
                "doctor_guess": np.exp(-death / 400),
                "recurrence": (rng.random(rows) < risk / (1 + risk)).astype(int).astype(str),
            }
        ).with_columns(pl.col("marker").fill_nan(None), stage=pl.when(pl.Series(rng.random(rows) > 0.05)).then("stage"))
        return frame.cast(schema.polars())

    return table


@pytest.fixture(scope="session")
def train(draw: Draw) -> pl.DataFrame:
    return draw(500, 1)


@pytest.fixture(scope="session")
def holdout(draw: Draw) -> pl.DataFrame:
    return draw(300, 2)


@pytest.fixture(scope="session")
def fresh(draw: Draw) -> pl.DataFrame:
    """What a perfect synthesizer gives: new patients of the same distribution."""
    return draw(500, 3)


@pytest.fixture(scope="session")
def copied(train: pl.DataFrame) -> pl.DataFrame:
    """What the worst synthesizer gives: training patients drawn with replacement."""
    return train[np.random.default_rng(0).integers(train.height, size=train.height)]


@pytest.fixture(scope="session")
def shuffled(train: pl.DataFrame) -> pl.DataFrame:
    """Right margins, no association."""
    rng = np.random.default_rng(0)
    return train.select(train[name][rng.permutation(train.height)] for name in train.columns)


@pytest.fixture(scope="session")
def spend() -> PrivacySpend:
    parts = (Mechanism("gaussian", "one-way counts", 0.1, 9, 6.7), Mechanism("gaussian", "two-way counts", 0.1, 9, 6.7))
    return PrivacySpend(parts, 0.2, 3.9, 1e-5)
