"""A patient's own shift in days, under the hospital's key: all dates of a patient move together, so intervals stay.

Belongs here: how many days a patient's dates move. Does not belong here: moving them (``dates`` in tables, and the
engines for images and text), or days since an index date, which tell less and stay the default for tables.

References
----------
DICOM PS3.15, Annex E.3.6 (Retain Longitudinal Temporal Information with Modified Dates).
Hripcsak et al. (2016). Preserving temporal relations in clinical data while maintaining privacy. JAMIA 23(6).
"""

import hmac

import polars as pl

from deidentification.identifiers import identifier_texts
from deidentification.pseudonyms import refuse_short_key
from records.errors import ParameterError

DEFAULT_SPAN = 365
_CONTEXT = b"shift:"
_DRAWS = 2**64


def shift_days(identifier: str, key: bytes, *, span: int = DEFAULT_SPAN) -> int:
    """Days by which one patient's dates move: uniform on ``-span`` to ``span`` without 0, fixed by the key.

    The first 64 bits of HMAC-SHA256(key, "shift:" + identifier) are taken modulo ``2 * span``; a draw from the
    incomplete last interval is drawn again with a counter, so that no shift is likelier than another.

    Parameters
    ----------
    identifier : str
        The patient's identifier in the hospital, before pseudonyms.
    key : bytes
        At least 16 bytes, see ``pseudonyms.load_key``.
    span : int
        Largest shift in days, at least 1.

    Raises
    ------
    ParameterError
        The key is too short or ``span`` is below 1.
    """
    _refuse(key, span)
    return _shift(identifier, key, span)


def shifts(ids: pl.Series, key: bytes, *, span: int = DEFAULT_SPAN) -> pl.Series:
    """``shift_days`` of each identifier.

    Parameters
    ----------
    ids : polars.Series of String or integers, length n
    key, span
        See ``shift_days``.

    Returns
    -------
    polars.Series of Int32, length n, named ``shift_days``

    Raises
    ------
    ParameterError
        As ``shift_days``, or identifiers are missing or of another type.
    """
    _refuse(key, span)
    texts = identifier_texts(ids)
    unique = texts.unique(maintain_order=True)
    drawn = pl.Series([_shift(text, key, span) for text in unique], dtype=pl.Int32)
    return texts.replace_strict(unique, drawn, return_dtype=pl.Int32).alias("shift_days")


def shifted(column: str, days: pl.Series) -> pl.Expr:
    """Expression for a date column moved by each row's shift; intervals between a patient's dates stay."""
    return pl.col(column) + pl.duration(days=pl.lit(days))


def _shift(identifier: str, key: bytes, span: int) -> int:
    message, count = _CONTEXT + identifier.encode(), 2 * span
    draw, again = _draw(message, key), 0
    while draw >= _DRAWS - _DRAWS % count:
        again += 1
        draw = _draw(message + b"\0" + str(again).encode(), key)
    days = draw % count - span
    return days if days < 0 else days + 1


def _draw(message: bytes, key: bytes) -> int:
    return int.from_bytes(hmac.digest(key, message, "sha256")[:8], "big")


def _refuse(key: bytes, span: int) -> None:
    refuse_short_key(key, "the pseudonym key", "use a longer key")
    if span < 1:
        raise ParameterError(f"the span of shifts must be at least 1 day, got {span}; the default is {DEFAULT_SPAN}")
