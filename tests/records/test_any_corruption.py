"""Whatever is wrong with a table, one error names every corrupted column with the right counts and no cell."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import TableError
from records.schema import Schema
from records.validation import validate
from use_cases.registry import discover

YES_NO = {"0": "no", "1": "yes"}
SCHEMA = Schema.model_validate(
    {
        "name": "ward", "title": "Ward",
        "columns": [
            {"name": "patient", "label": "Patient", "role": "identifier", "kind": "text"},
            {"name": "admitted", "label": "Admitted", "role": "covariate", "kind": "date", "earliest": "1990-01-01",
             "latest": "1999-12-31"},
            {"name": "age", "label": "Age", "role": "quasi-identifier", "kind": "integer", "minimum": 18,
             "maximum": 100},
            {"name": "lactate", "label": "Lactate", "role": "covariate", "kind": "number", "minimum": 0,
             "maximum": 20, "missing": True},
            {"name": "ward", "label": "Ward", "role": "covariate", "kind": "category",
             "levels": {"a": "A", "b": "B"}, "missing": True},
            {"name": "died", "label": "Died", "role": "outcome", "kind": "category", "levels": YES_NO},
        ],
        "outcomes": [{"name": "death", "label": "Death", "column": "died", "positive": ["1"]}],
    }
)  # fmt: skip
ROWS = 8
VALID = pl.DataFrame(
    {
        "patient": [f"p{i}" for i in range(ROWS)], "admitted": ["1994-05-17"] * ROWS, "age": ["64"] * ROWS,
        "lactate": ["1.5"] * ROWS, "ward": ["a", "b"] * (ROWS // 2), "died": ["0", "1"] * (ROWS // 2),
    }
)  # fmt: skip
# Marks that occur nowhere else, so that a cell in a message is found; the breach that each must be counted as.
MISFIT, OUTSIDE, MISSING = "do not fit", "rows outside", "rows missing"
MARKS = {
    "patient": {None: MISSING},
    "admitted": {"zebra": MISFIT, "1887-13-77": MISFIT, "1887-03-07": OUTSIDE, None: MISSING},
    "age": {"zebra": MISFIT, "87.625": MISFIT, "886644": OUTSIDE, "-886644": OUTSIDE, None: MISSING},
    "lactate": {"zebra": MISFIT, "8866.44": OUTSIDE, "inf": OUTSIDE, None: ""},
    "ward": {"zebra": MISFIT, "A": MISFIT, "": MISFIT, None: ""},
    "died": {"zebra": MISFIT, "886644": MISFIT, None: MISSING},
}
SECRETS = ("zebra", "1887", "8866", "87.625", "inf", "1994", "64")


@st.composite
def corruptions(draw: st.DrawFn) -> dict[str, list[str | None]]:
    """New cells of some columns; ``"keep"`` leaves a cell as it is."""
    names = draw(st.sets(st.sampled_from(list(MARKS)), min_size=1))
    cell = {name: st.sampled_from(["keep", *MARKS[name]]) for name in names}
    return {n: draw(st.lists(cell[n], min_size=ROWS, max_size=ROWS)) for n in sorted(names)}


def corrupted(cells: dict[str, list[str | None]]) -> pl.DataFrame:
    kept = {n: [old if new == "keep" else new for old, new in zip(VALID[n], c, strict=True)] for n, c in cells.items()}
    return VALID.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in kept.items())


def expected(cells: dict[str, list[str | None]]) -> Counter:
    """(column, what the message must say) of every breach."""
    found: Counter = Counter()
    for name, values in cells.items():
        if values == [None] * ROWS:
            found[name, f"{ROWS} rows, all missing"] += 1
            continue
        for words, rows in Counter(MARKS[name][v] for v in values if v != "keep").items():
            if words:
                found[name, f"{rows} rows that do not fit" if words == MISFIT else f"{rows} {words}"] += 1
    return found


def refused(table: pl.DataFrame) -> TableError | None:
    try:
        validate(table, SCHEMA, source="ward.csv")
    except TableError as error:
        return error
    return None


@given(corruptions())
@settings(max_examples=120)
def test_every_corrupted_column_is_named_with_its_counts(cells: dict[str, list[str | None]]) -> None:
    error = refused(corrupted(cells))
    problems = error.problems if error else ()
    of_columns = [p for p in problems if p.column in SCHEMA.names]
    assert Counter((p.column, p.got) for p in of_columns) == expected(cells)
    assert all(p.column == "death" for p in problems if p not in of_columns)
    if error:
        assert str(error).startswith(f"ward.csv does not fit its codebook, {len(problems)} problem")
        assert not [secret for secret in SECRETS if secret in str(error)]


@given(st.sets(st.sampled_from(SCHEMA.names), min_size=1), st.integers(1, ROWS - 1), st.randoms(use_true_random=False))
def test_missing_columns_and_repeated_patients_come_together(dropped: set[str], repeats: int, random) -> None:
    rows = [*range(ROWS), *(random.randrange(ROWS) for _ in range(repeats))]
    with pytest.raises(TableError) as caught:
        validate(VALID[rows].drop(dropped), SCHEMA, source="ward.csv")
    found = {(p.column, p.got) for p in caught.value.problems}
    repeated = set() if "patient" in dropped else {("patient", f"{repeats} repeated rows")}
    assert found == {(name, "no such column") for name in dropped} | repeated


FOREIGN = {
    "list": pl.Series([[64]] * ROWS), "bytes": pl.Series([b"\xff"] * ROWS), "duration": pl.Series([timedelta(1)] * ROWS),
    "object": pl.Series([Path()] * ROWS, dtype=pl.Object), "record": pl.Series([{"zebra": 64}] * ROWS),
}  # fmt: skip


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("name", SCHEMA.names)
def test_a_column_of_a_foreign_type_is_counted(name: str, foreign: str) -> None:
    error = refused(VALID.with_columns(FOREIGN[foreign].alias(name)))
    assert error is not None
    assert (name, f"{ROWS} rows that do not fit") in {(p.column, p.got) for p in error.problems}


def test_a_date_is_no_number_and_a_number_no_date() -> None:
    day = pl.Series([date(1970, 2, 1)] * ROWS)  # day 31 of Unix time: within the bounds of age
    error = refused(VALID.with_columns(day.alias("age"), pl.Series([9000] * ROWS).alias("admitted")))
    assert error is not None
    assert {p.column for p in error.problems} == {"age", "admitted"}


def test_problems_of_cells_patients_and_outcome_come_in_one_error() -> None:
    cohort = discover()["stroke"].cohorts[0]
    table = cohort.load()
    bad = pl.concat([table, table.head(3)]).with_columns(pl.lit("zebra").alias("sex"), pl.lit("1").alias("diabetes"))
    alive = bad.with_columns(pl.lit("0").alias("event"))
    with pytest.raises(TableError) as caught:
        validate(alive, cohort.table, source="table")
    text = str(caught.value)
    assert "3 repeated rows" in text
    assert "sex must hold levels of the codebook, got 495 rows" in text
    assert "death_1y must have both classes" in text
