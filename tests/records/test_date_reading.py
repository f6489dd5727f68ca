"""Dates are read or counted, never guessed; the International Stroke Trial's Polish months, one broken, are read."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.date_reading import MONTHS, read_dates

IST = Path(__file__).parents[2].parent / "shared" / "data" / "ist.parquet"
BOUNDS = {"earliest": date(1930, 1, 1), "latest": date(2026, 12, 31)}


def read(*texts: str | None):
    return read_dates(pl.Series("d", texts, dtype=pl.String), **BOUNDS)


def test_the_trials_months_are_all_read() -> None:
    if not IST.is_file():
        pytest.skip("the International Stroke Trial is not on this machine")
    raw = pl.read_parquet(IST)["RDATE"]
    done = read_dates(raw, earliest=date(1991, 1, 1), latest=date(1996, 12, 31))
    assert (done.language, done.unread, done.whole, done.months) == ("pl", 0, 0, len(raw))
    assert done.mended == raw.str.starts_with("pa?").sum()
    october = done.dates.dt.month() == 10
    assert (october == raw.str.starts_with("pa?")).all()
    # The trial ran from January 1991 to May 1996 (Sandercock et al., 2011); each calendar month occurs.
    assert (done.dates.min(), done.dates.max()) == (date(1991, 1, 15), date(1996, 5, 15))
    assert done.dates.dt.month().n_unique() == 12


@given(st.dates(date(1930, 1, 1), date(2026, 12, 31)), st.sampled_from(("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y")))
def test_written_dates_are_read_back(day: date, form: str) -> None:
    done = read(day.strftime(form))
    assert done.dates.to_list() == [day]
    assert (done.whole, done.unread) == (1, 0)


@pytest.mark.parametrize("language", MONTHS)
def test_all_month_names_of_a_language_are_read(language: str) -> None:
    done = read(*(f"{name} 2001" for name in MONTHS[language].split()))
    assert [d.month for d in done.dates] == list(range(1, 13))


def test_what_is_no_date_is_counted() -> None:
    done = read("1999-02-30", "soon", "??? 1999", "mar-95", None, "sty-95", "13/13/2000")
    assert (done.unread, done.months, done.mended) == (4, 2, 0)
    assert done.dates.null_count() == 5


def test_an_uncertain_century_is_not_guessed() -> None:
    texts = pl.Series("d", ["sty-31"])
    assert read_dates(texts, earliest=date(1900, 1, 1), latest=date(2026, 1, 1)).dates.to_list() == [date(1931, 1, 15)]
    assert read_dates(texts, earliest=date(1900, 1, 1), latest=date(2050, 1, 1)).unread == 1
