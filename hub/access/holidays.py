"""Public holidays of the body's country, by rule.

Belongs here: which days are holidays. Does not belong here: what follows for periods (``periods``).

Another country is added as one more entry of ``RULES``.

References
----------
Regulation (EEC, Euratom) No 1182/71, Article 2(1): days designated as public holidays in the Member State. Finland: Act
388/1937 (Independence Day), Act 272/1944 (1 May), Church Order and Act 150/1930, section 5, by which the eves of Christmas
and Midsummer are no working days for periods. Easter: Meeus (1998), Astronomical Algorithms, chapter 8.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from records.errors import ParameterError

SATURDAY = 5


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar."""
    century, rest = divmod(year, 100)
    epact = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def finland(year: int) -> frozenset[date]:
    """Finland's holidays of a year."""
    fixed = {date(year, *d) for d in ((1, 1), (1, 6), (5, 1), (12, 6), (12, 24), (12, 25), (12, 26))}
    # Good Friday, Easter, Easter Monday, Ascension, Pentecost.
    moving = {easter(year) + timedelta(days=n) for n in (-2, 0, 1, 39, 49)}
    midsummer = _saturday_from(date(year, 6, 20))
    return frozenset({*fixed, *moving, midsummer - timedelta(days=1), midsummer, _saturday_from(date(year, 10, 31))})


def _saturday_from(day: date) -> date:
    return day + timedelta(days=(SATURDAY - day.weekday()) % 7)


RULES: dict[str, Callable[[int], frozenset[date]]] = {"FI": cache(finland), "": lambda _: frozenset()}
"""By ISO 3166-1 code; without a country only Saturdays and Sundays are no working days."""


@dataclass(frozen=True)
class PublicHolidays(Container[date]):
    """All holidays of a country, of every year."""

    country: str

    def __post_init__(self) -> None:
        if self.country not in RULES:
            known = ", ".join(filter(None, RULES))
            raise ParameterError(
                f"the country must be one of {known}, or empty for weekends only, got another; mend it"
            )

    def __contains__(self, day: object) -> bool:
        """Whether ``day`` is a holiday."""
        return isinstance(day, date) and day in RULES[self.country](day.year)
