"""Dates as people write them, moved by days and written the same way again.

Belongs here: reading, moving and writing one date. Does not belong here: finding dates (``written``), or by how many days
they move (``deidentification.shift``).
"""

import re
from datetime import date, timedelta

from deidentification.text.language import Language

_LEAPLESS = 2001
_CENTURY = 50
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def moved(found: str, days: int, language: Language) -> str | None:
    """The date moved by ``days`` in the same written form; None if it cannot be read.

    A date without a year moves as in a year of 365 days, a month without a day as its 15th, and a year of two digits is of
    the years 1950 to 2049.
    """
    month_name = _month_name(found, language) or _roman(found)
    numbers = list(re.finditer(r"\d+", found))
    order = _order([m[0] for m in numbers], month_name is not None, language)
    if order is None:
        return None
    parts = {part: int(m[0]) for part, m in zip(order, numbers, strict=True)}
    if month_name is not None:
        parts["month"] = _month(month_name[0], language)
    year = parts.get("year", _LEAPLESS)
    year += (1900 if year >= _CENTURY else 2000) if year < 100 else 0
    try:
        new = date(year, parts["month"], parts.get("day", 15)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return _written(found, new, numbers, order, month_name, language)


def _month_name(found: str, language: Language) -> re.Match[str] | None:
    names = sorted(language.months, key=len, reverse=True)
    return re.search(rf"(?i)(?<![^\W\d_])(?:{'|'.join(map(re.escape, names))})", found)


def _roman(found: str) -> re.Match[str] | None:
    """The month of *12.XI.2023*, between the numbers."""
    return re.search(rf"(?i)(?<=[-/. ])(?:{'|'.join(_ROMAN)})(?=[-/. ])", found)


def _month(name: str, language: Language) -> int:
    return language.months.get(name.lower()) or _ROMAN.index(name.upper()) + 1


def _order(numbers: list[str], named: bool, language: Language) -> tuple[str, ...] | None:
    """Which number is day, month and year."""
    if named:
        if len(numbers) == 1:
            return ("year",) if len(numbers[0]) == 4 else ("day",)
        return ("day", "year") if len(numbers) == 2 else None
    if len(numbers) == 3:
        return ("year", "month", "day") if len(numbers[0]) == 4 else ("day", "month", "year")
    if len(numbers) == 2:
        return ("month", "year") if len(numbers[1]) == 4 else ("day", "month")
    return None


def _written(
    found: str,
    new: date,
    numbers: list[re.Match[str]],
    order: tuple[str, ...],
    name: re.Match[str] | None,
    of: Language,
) -> str:
    short = [m[0] for m in numbers if len(m[0]) < 4]
    padded = all(len(n) == 2 for n in short) and (name is None or any(n[0] == "0" for n in short))
    edits = [
        (m.start(), m.end(), _digits(getattr(new, part), m[0], padded or part == "year"))
        for part, m in zip(order, numbers, strict=True)
    ]
    if name is not None:
        edits.append((name.start(), name.end(), _named(new.month, name[0], of)))
    for start, end, text in sorted(edits, reverse=True):
        found = found[:start] + text + found[end:]
    return re.sub(r"(\d)(?:st|nd|rd|th)\b", lambda m: m[1] + _ordinal(new.day), found)


def _digits(value: int, like: str, padded: bool) -> str:
    """A part's number; with a leading zero where the date writes its parts with two digits."""
    if len(like) == 4:
        return str(value)
    return f"{value % 100:02d}" if padded else str(value % 100)


def _named(month: int, like: str, of: Language) -> str:
    if like.lower() not in of.months:
        return _ROMAN[month - 1] if like.isupper() else _ROMAN[month - 1].lower()
    short = (
        min((len(k) for k, v in of.months.items() if v == of.months[like.lower()]), default=0) == len(like)
        and len(like) < 5
    )
    names = sorted((k for k, v in of.months.items() if v == month), key=len)
    name = names[0] if short else names[-1]
    return name.upper() if like.isupper() else name.capitalize() if like[0].isupper() else name


def _ordinal(day: int) -> str:
    return "th" if 10 < day % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
