"""Plausibility of values and dates, whatever they stand for.

Belongs here: plausibleValueLow and plausibleValueHigh of fields, plausibleTemporalAfter, plausibleDuringLife,
withinVisitDates, plausibleAfterBirth, plausibleBeforeDeath, plausibleStartBeforeEnd, measureObservationPeriodOverlap.
Does not belong here: what depends on a concept (``concepts``).
"""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from harmonisation.omop.tables import Form
from harmonisation.quality.context import BIRTH, DEATH, VISIT_END, VISIT_START, Context, Measure

IMPLAUSIBLE, OUTSIDE_VISIT = 1.0, 5.0
EARLIEST, EARLIEST_RELEASE = date(1950, 1, 1), date(2000, 1, 1)
AFTER_DEATH, AROUND_VISIT = timedelta(days=60), timedelta(days=7)
# Lowest and highest plausible value of number fields, as the dashboard has them.
BOUNDS: dict[tuple[str, str], tuple[float, float]] = {
    ("person", "month_of_birth"): (1, 12),
    ("person", "day_of_birth"): (1, 31),
    ("drug_exposure", "days_supply"): (1, 365),
    ("drug_exposure", "refills"): (0, 24),
    ("drug_exposure", "quantity"): (0.0000001, 1095),
    ("procedure_occurrence", "quantity"): (1, 100),
}
EARLIEST_BIRTH = 1850
# Start and end of what lasts.
LASTS = {
    "observation_period": ("observation_period_start_date", "observation_period_end_date"),
    "visit_occurrence": ("visit_start_date", "visit_end_date"),
    "condition_occurrence": ("condition_start_date", "condition_end_date"),
    "drug_exposure": ("drug_exposure_start_date", "drug_exposure_end_date"),
    "procedure_occurrence": ("procedure_date", "procedure_end_date"),
}
HAPPENS = {
    **{table: start for table, (start, _) in LASTS.items()},
    "measurement": "measurement_date",
    "observation": "observation_date",
}
# Date fields that must not lie before another of the same row, other than start and end.
AFTER = {("cdm_source", "cdm_release_date"): "source_release_date"}


def bounds(context: Context) -> Iterator[Measure]:
    """plausibleValueLow and plausibleValueHigh of numbers, years of birth and dates."""
    limits = BOUNDS | {("person", "year_of_birth"): (EARLIEST_BIRTH, context.today.year + 1)}
    for table, name, field in context.fields():
        if (table, name) in limits:
            yield from _outside(table, name, *limits[table, name])
        elif field.form is Form.DATE:
            earliest = EARLIEST_RELEASE if table == "cdm_source" else EARLIEST
            yield from _outside(table, name, earliest, context.today + timedelta(days=1))


def lives(context: Context) -> Iterator[Measure]:
    """plausibleAfterBirth, plausibleBeforeDeath and plausibleDuringLife."""
    for table, name in (*HAPPENS.items(), ("death", "death_date")):
        born = _known(name, BIRTH)
        yield _measure("plausibleAfterBirth", table, name, pl.col(name) < pl.col(BIRTH), born, BIRTH)
    for table, name in HAPPENS.items():
        late = pl.col(name) > pl.col(DEATH) + AFTER_DEATH
        yield _measure("plausibleBeforeDeath", table, name, late, _known(name, DEATH), DEATH)
    for table, (_, end) in LASTS.items():
        late = pl.col(end) > pl.col(DEATH) + AFTER_DEATH
        yield _measure("plausibleDuringLife", table, end, late, _known(end, DEATH), DEATH)


def order(context: Context) -> Iterator[Measure]:
    """plausibleStartBeforeEnd, plausibleTemporalAfter and withinVisitDates."""
    for table, (start, end) in LASTS.items():
        late = pl.col(start) > pl.col(end)
        yield _measure("plausibleStartBeforeEnd", table, start, late, _known(start, end), end)
    for (table, name), earlier in AFTER.items():
        yield _measure(
            "plausibleTemporalAfter", table, name, pl.col(name) < pl.col(earlier), _known(name, earlier), earlier
        )
    for table, name in HAPPENS.items():
        if table not in ("visit_occurrence", "observation_period"):
            yield _within_visit(table, name)


def periods(context: Context) -> Iterator[Measure]:
    """measureObservationPeriodOverlap: the period starts no later than the latest end before it."""
    table, (start, end) = "observation_period", LASTS["observation_period"]
    before = pl.col(end).cum_max().shift(1).over("person_id", order_by=start)
    among = pl.col("person_id").is_not_null()
    overlapping = (pl.col(start) <= before).fill_null(False)
    yield Measure(
        "measureObservationPeriodOverlap", table, None, overlapping, among, 0, needs=("person_id", start, end)
    )


def _outside(table: str, name: str, low: date | float, high: date | float) -> Iterator[Measure]:
    value = pl.col(name)
    yield _measure("plausibleValueLow", table, name, value < low, value.is_not_null())
    yield _measure("plausibleValueHigh", table, name, value > high, value.is_not_null())


def _within_visit(table: str, name: str) -> Measure:
    day = pl.col(name)
    outside = (day < pl.col(VISIT_START) - AROUND_VISIT) | (day > pl.col(VISIT_END) + AROUND_VISIT)
    known = _known(name, VISIT_START, VISIT_END)
    return _measure("withinVisitDates", table, name, outside, known, VISIT_START, threshold=OUTSIDE_VISIT)


def _known(*names: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(name).is_not_null() for name in names)


def _measure(
    check: str, table: str, name: str, violated: pl.Expr, among: pl.Expr, *needs: str, threshold: float = IMPLAUSIBLE
) -> Measure:
    return Measure(check, table, name, violated.fill_null(False), among, threshold, needs=(name, *needs))
