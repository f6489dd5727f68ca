"""The International Stroke Trial as a table of four quasi-identifiers."""

from datetime import date

import polars as pl
import pytest

from records.date_reading import read_dates
from records.schema import Column, Kind, Role, Schema
from tests.deidentification.anonymity.tables import trial


@pytest.fixture
def ist_frame_and_schema() -> tuple[pl.DataFrame, Schema]:
    raw = trial()
    months = read_dates(raw["RDATE"], earliest=date(1991, 1, 1), latest=date(1996, 12, 31)).dates
    hospitals = {str(h): str(h) for h in sorted(raw["HOSPNUM"].unique())}
    columns = (
        Column(
            name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, unit="a", minimum=15, maximum=120
        ),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, levels={"F": "F", "M": "M"}),
        Column(name="hospital", label="Hospital", role=Role.SITE, kind=Kind.CATEGORY, levels=hospitals),
        Column(name="month", label="Month", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=0, maximum=71),
    )
    schema = Schema(name="ist", title="International Stroke Trial", columns=columns)
    frame = pl.DataFrame(
        {"age": raw["AGE"].cast(pl.Int64), "sex": raw["SEX"], "hospital": raw["HOSPNUM"].cast(pl.String),
         "month": (months.dt.year().cast(pl.Int64) - 1991) * 12 + months.dt.month() - 1}
    )  # fmt: skip
    return frame.cast(schema.polars()), schema  # type: ignore[arg-type]
