"""Periods of Union law: when a period in weeks, months or working days ends.

Belongs here: calendar arithmetic. Does not belong here: which period applies (``law``).

References
----------
Regulation (EEC, Euratom) No 1182/71, Articles 2(2) and 3: the day of the event does not count; a period of months ends on
the day with the same number, or on the month's last day; it ends with that day's last hour, and on the next working day if
that day is a public holiday, Saturday or Sunday (Article 3(4)); holidays within a period count, except in a period of working
days (Article 3(3)). Public holidays are the Member State's (``holidays``); without them only weekends are known.
"""

from calendar import monthrange
from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta

NO_HOLIDAYS: frozenset[date] = frozenset()


def add_months(day: date, months: int) -> date:
    """The day with the same number ``months`` later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def is_working_day(day: date, holidays: Container[date] = NO_HOLIDAYS) -> bool:
    """Whether ``day`` is no Saturday, Sunday or public holiday."""
    return day.weekday() < 5 and day not in holidays


def working_day_from(day: date, holidays: Container[date] = NO_HOLIDAYS) -> date:
    """``day``, or the next working day."""
    while not is_working_day(day, holidays):
        day += timedelta(days=1)
    return day


def add_working_days(day: date, count: int, holidays: Container[date] = NO_HOLIDAYS) -> date:
    """The working day that is ``count`` working days after ``day``."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day, holidays)
    return day


def end_of(day: date) -> datetime:
    """The last moment of a day (UTC)."""
    return datetime.combine(day, time.max, UTC)
