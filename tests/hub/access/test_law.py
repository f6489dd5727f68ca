"""Every clock of the Regulation at month ends, in leap years and on weekends."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import law
from hub.access.holidays import PublicHolidays, easter, finland
from hub.access.periods import add_months, add_working_days, is_working_day, working_day_from
from records.errors import ParameterError

DAYS = st.dates(date(2025, 3, 26), date(2060, 12, 31))
EXPECTED = {
    "completion": (4, "weeks", "68(4)", 0), "decision": (3, "months", "68(4)", 3), "accelerated": (2, "months", "68(6)", 1),
    "trusted_assessment": (2, "months", "72(5)", 0), "trusted_decision": (2, "months", "72(5)", 0),
    "holder_delivery": (3, "months", "60(2)", 3), "body_delivery": (2, "months", "68(7)", 0),
    "statistics_assessment": (3, "months", "69(4)", 0), "statistics_response": (3, "months", "69(4)", 0),
    "publication": (30, "working_days", "57(1)(j)(iii)", 0), "results": (18, "months", "61(4)", 0),
    "deletion": (6, "months", "68(12)", 0), "fee_agreement": (1, "months", "62(4)", 0),
}  # fmt: skip


def at(day: date) -> datetime:
    return datetime.combine(day, time(13, 37), UTC)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_clock_has_the_regulations_length(name: str) -> None:
    length, unit, article, longer = EXPECTED[name]
    clock = law.CLOCKS[name]
    assert (getattr(clock, unit), clock.article, clock.longer_months) == (length, article, longer)


def test_no_clock_is_untested() -> None:
    assert law.CLOCKS.keys() == EXPECTED.keys()
    assert (law.PERMIT_MONTHS, law.EXTENSION_MONTHS, law.EXTENSIONS) == (120, 120, 1)


@pytest.mark.parametrize(
    ("clock", "start", "end"),
    [
        (law.DECISION, date(2026, 11, 30), date(2027, 3, 1)),  # 28 February 2027 is a Sunday
        (law.DECISION, date(2027, 11, 30), date(2028, 2, 29)),  # a leap year
        (law.DECISION, date(2027, 10, 31), date(2028, 1, 31)),
        (law.ACCELERATED, date(2027, 12, 31), date(2028, 2, 29)),
        (law.BODY_DELIVERY, date(2026, 12, 31), date(2027, 3, 1)),
        (law.RESULTS, date(2026, 8, 31), date(2028, 2, 29)),
        (law.COMPLETION, date(2026, 11, 25), date(2026, 12, 23)),
        (law.COMPLETION, date(2026, 11, 28), date(2026, 12, 28)),  # a Saturday
        (law.PUBLICATION, date(2026, 11, 25), date(2027, 1, 6)),
        (law.DELETION, date(2027, 8, 31), date(2028, 2, 29)),
    ],
)
def test_days_counted_by_hand(clock: law.Clock, start: date, end: date) -> None:
    assert clock.end(at(start)).date() == end
    assert clock.end(at(start)).time() == time.max


@given(DAYS, st.sampled_from(sorted(law.CLOCKS)))
def test_a_period_ends_on_a_working_day_and_never_early(day: date, name: str) -> None:
    clock = law.CLOCKS[name]
    end, longer = clock.end(at(day)), clock.longer_end(at(day))
    assert is_working_day(end.date())
    assert end > at(day)
    assert (longer > end) == bool(clock.longer_months)
    if clock.months:
        due = add_months(day, clock.months)
        assert timedelta(0) <= end.date() - due <= timedelta(days=2)


@given(DAYS, st.integers(0, 130))
def test_months(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or ((later + timedelta(days=1)).day == 1 and later.day < day.day)


@given(DAYS, st.integers(0, 60))
def test_working_days(day: date, count: int) -> None:
    later = add_working_days(day, count)
    between = sum(is_working_day(day + timedelta(days=n)) for n in range(1, (later - day).days + 1))
    assert between == count
    assert working_day_from(day) >= day


def test_a_public_holiday_does_not_count() -> None:
    christmas = frozenset({date(2026, 12, 24), date(2026, 12, 25)})
    assert working_day_from(date(2026, 12, 24), christmas) == date(2026, 12, 28)
    assert add_working_days(date(2026, 12, 23), 1, christmas) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2026, ["01-01", "01-06", "04-03", "04-05", "04-06", "05-01", "05-14", "05-24", "06-19", "06-20", "10-31", "12-06",
                "12-24", "12-25", "12-26"]),
        (2027, ["01-01", "01-06", "03-26", "03-28", "03-29", "05-01", "05-06", "05-16", "06-25", "06-26", "11-06", "12-06",
                "12-24", "12-25", "12-26"]),
    ],
)  # fmt: skip
def test_holidays_of_finland_by_its_almanac(year: int, days: list[str]) -> None:
    assert sorted(finland(year)) == [date.fromisoformat(f"{year}-{day}") for day in days]


@pytest.mark.parametrize(
    "day", [date(1961, 4, 2), date(2000, 4, 23), date(2008, 3, 23), date(2038, 4, 25), date(2049, 4, 18)]
)
def test_easter_is_where_the_almanac_has_it(day: date) -> None:
    assert easter(day.year) == day


@given(DAYS, st.sampled_from(sorted(law.CLOCKS)))
def test_no_period_ends_on_a_holiday_and_holidays_never_shorten_one(day: date, name: str) -> None:
    clock, holidays = law.CLOCKS[name], PublicHolidays("FI")
    end = clock.end(at(day), holidays)
    assert is_working_day(end.date(), holidays)
    assert end >= clock.end(at(day))
    assert clock.end(at(day), PublicHolidays("")) == clock.end(at(day))


def test_thirty_working_days_leave_holidays_out() -> None:
    # 24 and 25 December, 1 and 6 January lie within; a period of months or weeks only moves its last day.
    assert law.PUBLICATION.end(at(date(2026, 11, 25)), PublicHolidays("FI")).date() == date(2027, 1, 12)
    assert law.COMPLETION.end(at(date(2026, 11, 26)), PublicHolidays("FI")).date() == date(2026, 12, 28)


def test_a_country_without_a_rule_is_refused() -> None:
    with pytest.raises(ParameterError, match="country must be one of FI"):
        PublicHolidays("XX")
