"""Dates as hospitals write them, read with a report: ISO, day first, and month names with a year in nine languages.

Belongs here: text to dates, and how many rows were read, mended or left unread. Does not belong here: what becomes of
the dates (``deidentification``). What cannot be read is missing afterwards and counted, never guessed.

The International Stroke Trial's months are Polish (``sty-91``), and one of them lost its accented letter on the way
(``pa?-95`` for ``paź``): a sign that is no letter stands for any one letter if just one month fits.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

MIDDLE = 15
"""Day of the month given to a date without a day."""
FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y")
MONTHS = {
    "en": "january february march april may june july august september october november december",
    "pl": "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
    "fi": "tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_MONTH_YEAR = re.compile(r"([^\d\s.,/-]{3,})[\s.,/-]+(\d{2}|\d{4})")


@dataclass(frozen=True)
class DatesRead:
    """Dates and how they were read.

    Parameters
    ----------
    dates : polars.Series of Date, length n
    whole, months, mended, unread : int
        Rows with a day; with a month and year only (the 15th is put); with a month whose name was broken, among
        the former; with a text that is no date.
    language : str or None
        Of the month names, ISO 639-1.
    """

    dates: pl.Series
    whole: int
    months: int
    mended: int
    unread: int
    language: str | None

    def to_json(self) -> dict[str, Any]:
        """The counts as plain JSON values."""
        return {k: getattr(self, k) for k in ("whole", "months", "mended", "unread", "language")}


def read_dates(values: pl.Series, *, earliest: date, latest: date) -> DatesRead:
    """Read a column of dates.

    Parameters
    ----------
    values : polars.Series of String, length n
    earliest, latest : datetime.date
        The codebook's bounds, which tell the century of a year of two digits; a date outside is left unread if its
        century cannot be told.
    """
    texts = values.cast(pl.String).str.strip_chars()
    days = pl.coalesce(pl.col("text").str.to_date(form, strict=False) for form in FORMATS)
    whole = pl.DataFrame({"text": texts}).select(days).to_series()
    rest = texts.filter(whole.is_null() & texts.is_not_null())
    counts = rest.value_counts(name="rows").rename({rest.name: "text"})
    language, found = _best_language(counts, earliest, latest)
    months = texts.replace_strict(
        list(found), [day for day, _ in found.values()], default=None, return_dtype=pl.Date
    ) if found else pl.repeat(None, len(texts), dtype=pl.Date, eager=True)  # fmt: skip
    dates = whole.zip_with(whole.is_not_null(), months).alias(values.name)
    broken = [text for text, (_, mended) in found.items() if mended]
    read = int(whole.is_not_null().sum()), int(months.is_not_null().sum())
    unread = dates.null_count() - texts.null_count()
    mended = int(counts.filter(pl.col("text").is_in(broken))["rows"].sum())
    return DatesRead(dates, *read, mended, unread, language if found else None)


def _best_language(counts: pl.DataFrame, earliest: date, latest: date) -> tuple[str, dict[str, tuple[date, bool]]]:
    """The language that reads most rows, and what it reads; in a tie the first of ``MONTHS``."""
    read = {name: _read(counts["text"], names.split(), earliest, latest) for name, names in MONTHS.items()}
    rows = dict(counts.iter_rows())
    return max(read.items(), key=lambda item: sum(rows[text] for text in item[1]))


def _read(texts: pl.Series, months: list[str], earliest: date, latest: date) -> dict[str, tuple[date, bool]]:
    found = {}
    for text in texts:
        if (parts := _MONTH_YEAR.fullmatch(text)) is None:
            continue
        number, mended = _month(parts[1].lower(), months)
        if number and (year := _year(parts[2], earliest, latest)):
            found[text] = date(year, number, MIDDLE), mended
    return found


def _month(name: str, months: list[str]) -> tuple[int | None, bool]:
    """Number of the one month that starts with ``name``, and whether a broken letter was passed over."""
    exact = [i for i, month in enumerate(months, 1) if month.startswith(name)]
    if exact or name.isalpha():
        return (exact[0] if len(exact) == 1 else None), False
    shape = re.compile("".join(re.escape(c) if c.isalpha() else "." for c in name))
    close = [i for i, month in enumerate(months, 1) if shape.match(month)]
    return (close[0] if len(close) == 1 else None), True


def _year(digits: str, earliest: date, latest: date) -> int | None:
    if len(digits) == 4:
        return int(digits)
    fitting = [y for y in range(earliest.year, latest.year + 1) if y % 100 == int(digits)]
    return fitting[0] if len(fitting) == 1 else None
