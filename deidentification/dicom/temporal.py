"""Dates moved by a patient's own shift, in the forms of DICOM.

Belongs here: values of DA and DT. Does not belong here: how many days (``deidentification.shift``). Times of day (TM)
stay: the shift is in whole days, so that intervals stay to the second.

References
----------
DICOM PS3.5 6.2 (DA, DT); PS3.15 E.3.6.
"""

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_DATETIME = re.compile(r"(\d{4})(\d{2})?(\d{2})?([\d.]*)([+-]\d{4})?")


def shifted_date(text: str, days: int) -> str | None:
    """A DA value moved by whole days; ``None`` if it is no date."""
    match = _DATE.fullmatch(text.strip(" \0"))
    return match and _moved(match[1], match[2], match[3], days)


def shifted_datetime(text: str, days: int) -> str | None:
    """A DT value moved by whole days at its own precision; ``None`` if it is none."""
    match = _DATETIME.fullmatch(text.strip(" \0"))
    if match is None:
        return None
    moved = _moved(match[1], match[2] or "01", match[3] or "01", days)
    precision = 8 if match[3] else 6 if match[2] else 4
    return moved and moved[:precision] + match[4] + (match[5] or "")


def _moved(year: str, month: str, day: str, days: int) -> str | None:
    try:
        moved = date(int(year), int(month), int(day)) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"
