"""Identifiers in the one text form that is hashed.

Belongs here: the checks and the text form that pseudonyms and the split share; one form of an identifier that programs
write in several. Does not belong here: hashing.
"""

import polars as pl

from records.errors import ParameterError


def identifier_texts(ids: pl.Series) -> pl.Series:
    """Identifiers as text.

    Parameters
    ----------
    ids : polars.Series of String, categories or integers, length n

    Returns
    -------
    polars.Series of String, length n, no nulls

    Raises
    ------
    ParameterError
        An identifier is missing, or the type has no unique text form (a float ``1.0`` is not the text ``1``).
    """
    if not (ids.dtype.is_integer() or ids.dtype in (pl.String, pl.Enum, pl.Categorical)):
        raise ParameterError(f"identifier {ids.name} must be text or integer, got {ids.dtype}; read it as text")
    if missing := ids.null_count():
        raise ParameterError(
            f"identifier {ids.name} must be known in every row, got {missing} without; give each patient an identifier"
        )
    return ids.cast(pl.String)


def plain_identifiers(ids: pl.Series) -> pl.Series:
    """Identifiers in one form whatever wrote them: ``007``, `` 7``, ``7.0`` and 7 are all ``7``, ``ab1`` is ``AB1``.

    It may make two patients of one hospital equal, so it serves to find a person, never to tell people apart.

    Raises
    ------
    ParameterError
        As ``identifier_texts``.
    """
    plain = identifier_texts(ids).str.normalize("NFKC").str.strip_chars().str.to_uppercase()
    return plain.str.replace(r"^(\d+)\.0+$", "$1").str.replace(r"^0+(\d+)$", "$1")
