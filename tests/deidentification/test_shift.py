"""Date shifts: fixed by patient and key, never 0, all equally likely, and the table's form agrees with the patient's."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from deidentification.shift import shift_days, shifted, shifts
from records.errors import ParameterError

KEY = b"k" * 32


@given(st.text(min_size=1, max_size=20), st.integers(1, 5000))
def test_a_shift_is_fixed_and_in_range(identifier: str, span: int) -> None:
    days = shift_days(identifier, KEY, span=span)
    assert days == shift_days(identifier, KEY, span=span)
    assert 1 <= abs(days) <= span


def test_all_shifts_are_equally_likely() -> None:
    found = Counter(shifts(pl.Series("id", range(60_000)), KEY, span=20))
    assert sorted(found) == [*range(-20, 0), *range(1, 21)]
    assert chisquare(list(found.values())).pvalue > 1e-4


def test_the_column_agrees_with_the_single_form_and_follows_the_key() -> None:
    ids = pl.Series("id", ["a", "b", "a", "ä"])
    assert shifts(ids, KEY).to_list() == [shift_days(i, KEY) for i in ids]
    many = pl.Series("id", range(1000))
    assert (shifts(many, KEY) == shifts(many, b"l" * 32)).sum() < 20


def test_intervals_of_a_patient_stay() -> None:
    days = pl.Series("d", [f"2020-01-{d:02d}" for d in range(1, 21)]).str.to_date()
    table = pl.DataFrame({"id": ["a", "b"] * 10, "first": days, "last": days.reverse()})
    moved = table.with_columns(shifted(name, shifts(table["id"], KEY)) for name in ("first", "last"))
    assert (moved["last"] - moved["first"]).equals(table["last"] - table["first"])
    assert (moved["first"] != table["first"]).all()
    assert moved.with_columns(gap=moved["first"] - table["first"]).group_by("id").agg(pl.n_unique("gap"))[
        "gap"
    ].to_list() == [1, 1]


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least 16 bytes"):
        shift_days("a", b"short")
    with pytest.raises(ParameterError, match="at least 1 day"):
        shift_days("a", KEY, span=0)
    with pytest.raises(ParameterError, match="known in every row"):
        shifts(pl.Series("id", ["a", None]), KEY)
