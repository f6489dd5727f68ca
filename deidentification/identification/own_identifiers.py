"""The patients' own identifiers inside other columns, where an export or a spreadsheet has put them by mistake.

Belongs here: values of the identifier column within the values of another column. Does not belong here: identifiers
that are known by their form (``scan``).

Two rules, since a number may stand in another column by chance. Identifiers with a letter and at least five
characters are looked for as whole words in every row. Any identifier is looked for in its own patient's row; were
the two columns independent, at most one row would be expected to agree, whatever their values, since each identifier
occurs once: so identifiers of digits count from twelve rows on (Poisson with mean 1: below 1e-9).
"""

import polars as pl

MANY_BY_CHANCE = 12
SHORTEST_WORD, SHORTEST_IN_ROW = 5, 4
WORD = r"[\p{L}\d][\p{L}\d_./-]*[\p{L}\d]"


def own_identifiers(ids: pl.Series, values: pl.Series) -> pl.Series:
    """Rows whose value holds a patient's identifier.

    Parameters
    ----------
    ids : polars.Series of String, length n
        The patients' identifiers.
    values : polars.Series of String, length n
        Another column, as text.

    Returns
    -------
    polars.Series of Boolean, length n, without nulls
    """
    lettered = ids.str.contains(r"\p{L}").fill_null(False)
    own = _in_own_row(ids, values)
    digits = own & ~lettered
    found = (own & lettered) | _as_words(ids.filter(lettered), values)
    return found | digits if digits.sum() >= MANY_BY_CHANCE else found


def _in_own_row(ids: pl.Series, values: pl.Series) -> pl.Series:
    """The row's own identifier: as a part of the value if it has a letter, as the whole value if it is a number."""
    table = pl.DataFrame({"id": ids, "value": values})
    part = pl.col("value").str.contains(pl.col("id"), literal=True) & (pl.col("id").str.len_chars() >= SHORTEST_IN_ROW)
    whole = pl.col("value") == pl.col("id")
    lettered = pl.col("id").str.contains(r"\p{L}")
    return table.select(pl.when(lettered).then(part).otherwise(whole).fill_null(False)).to_series()


def _as_words(ids: pl.Series, values: pl.Series) -> pl.Series:
    wanted = ids.filter(ids.str.len_chars() >= SHORTEST_WORD).unique()
    distinct = values.drop_nulls().unique()
    distinct = distinct.filter(distinct.str.len_chars() >= SHORTEST_WORD)
    if wanted.is_empty() or distinct.is_empty():
        return pl.repeat(False, len(values), eager=True)
    words = pl.DataFrame({"value": distinct, "word": distinct.str.extract_all(WORD)})
    words = words.explode("word", empty_as_null=True).drop_nulls()
    holding = words.join(wanted.to_frame("word"), on="word", how="semi")["value"].unique()
    whole = distinct.filter(distinct.is_in(wanted.implode()))
    held = pl.concat([holding.alias("v"), whole.alias("v")])
    return values.is_in(held.implode()).fill_null(False)
