"""National telephone numbers in a column, without the prefix or separators by which one alone is known.

Belongs here: whether a column's numbers are telephone numbers of one country. Does not belong here: numbers known by
their form, one by one (``patterns``).

Almost any number of nine digits is some country's telephone number (the validity rules of seven countries together
take 97 % of random ones), so a column is judged as a whole: half of its numbers must be mobile numbers of one country,
nine tenths mobile or fixed ones. Numbers that follow each other closely are a register's, not an operator's.

References
----------
ITU-T E.164 and the national plans: Traficom 32 (FI), PTS telefonnummerplan (SE), Real Decreto 2296/2004 (ES), Delibera 8/15/CIR (IT),
Koninklijk besluit 27 april 2007 (BE), Plano Nacional de Numeração (PT), Ofcom National Telephone Numbering Plan (UK).
"""

from typing import NamedTuple

import polars as pl

FEWEST, LEAST_MOBILE, LEAST_TELEPHONE, DENSEST = 12, 0.5, 0.9, 0.02
_NUMBER, _MEASURED = r"^\+?[\d()][\d ()./-]{6,20}\d$", r"^\d+\.\d+$"


class Plan(NamedTuple):
    """A country's plan, for digits alone: the calling code, mobile numbers as dialled from abroad, and fixed ones at home."""

    code: str
    mobile: str
    fixed: str
    trunk: str = "0"


PLANS = {
    "FI": Plan("358", r"(?:4\d|50)\d{6,8}", r"0[1-9]\d{5,9}"),
    "SE": Plan("46", r"7[02369]\d{7}", r"0[1-9]\d{6,8}"),
    "BE": Plan("32", r"4[5-9]\d{7}", r"0[1-9]\d{7}"),
    "UK": Plan("44", r"7[1-57-9]\d{8}", r"0[123]\d{8,9}"),
    "IT": Plan("39", r"3[2-9]\d{8}", r"0\d{5,10}", ""),
    "ES": Plan("34", r"[67]\d{8}", r"[89]\d{8}", ""),
    "PT": Plan("351", r"9[1236]\d{7}", r"2\d{8}", ""),
}


def telephones(values: pl.Series) -> pl.Series:
    """Which of a column's distinct values are telephone numbers.

    From twelve numbers on most must be those of one country. Fewer are enough in a column of words, if all are mobile
    numbers of one country.

    Parameters
    ----------
    values : polars.Series of String, distinct, without nulls

    Returns
    -------
    polars.Series of Boolean, of the same length
    """
    written = values.str.contains(_NUMBER) & ~values.str.contains(_MEASURED)
    digits = values.str.replace_all(r"\D", "").str.replace("^00", "")
    numbers = digits.filter(written)
    words = len(numbers) <= len(values.filter(values.str.contains(r"\p{L}{2}")))
    for plan in PLANS.values():
        mobile, fixed = f"^(?:{plan.code}|{plan.trunk})?{plan.mobile}$", f"^{plan.fixed}$"
        if not numbers.is_empty() and _of_the_plan(numbers, mobile, fixed, among_words=words):
            return written & (digits.str.contains(mobile) | digits.str.contains(fixed))
    return pl.repeat(False, len(values), eager=True)


def _of_the_plan(numbers: pl.Series, mobile: str, fixed: str, *, among_words: bool) -> bool:
    movable, either = numbers.str.contains(mobile), numbers.str.contains(mobile) | numbers.str.contains(fixed)
    if len(numbers) < FEWEST:
        return among_words and bool(movable.all())
    most = movable.sum() >= LEAST_MOBILE * len(numbers) and either.sum() >= LEAST_TELEPHONE * len(numbers)
    return most and not _register(numbers.filter(movable))


def _register(numbers: pl.Series) -> bool:
    whole = numbers.cast(pl.Int64)
    span = int(whole.max() or 0) - int(whole.min() or 0) + 1  # type: ignore[arg-type]
    return len(numbers) > DENSEST * span
