"""The patients' own identifiers inside other columns, where an export or a spreadsheet has put them by mistake.

Belongs here: values of the identifier column within the values of another column. Does not belong here: identifiers
that are known by their form (``scan``).

Both are compared in a plain form, since programs change identifiers: zeros in front are lost, dashes and case too.
A number may stand in another column by chance, hence three rules. Identifiers with a letter and at least five
characters are looked for as words in every row. Any identifier, also without its letters, is looked for in its own
patient's row; were the two columns independent, at most one row per number in a value would be expected to agree,
since each identifier occurs once: so numbers count from twelve rows on (Poisson with mean 1: below 1e-9). Numbers of
six digits count in any row if half of such numbers in a column are some patient's, and stand once.
"""

import polars as pl

MANY_BY_CHANCE = 12
SHORTEST_WORD, SHORTEST_IN_ROW, SHORTEST_NUMBER = 5, 4, 5
SHORTEST_ANYWHERE, LEAST_ANYWHERE, ONCE = 6, 0.5, 0.9
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
    rows = pl.DataFrame({"id": ids, "value": values}).with_columns(plain=_plain(pl.col("id")))
    words = _words(values, with_digits=bool(rows["plain"].str.contains(r"\d").all()))
    numbers = _numbers(rows)
    return _lettered(rows, words) | _own_numbers(rows, words, numbers) | _anyones(values, words, numbers)


def _plain(text: pl.Expr) -> pl.Expr:
    """Upper case without separators, and numbers without zeros in front or a decimal point behind."""
    text = text.str.normalize("NFKC").str.to_uppercase().str.replace(r"^(\d+)\.0+$", "$1")
    return text.str.replace_all(r"[\s\p{Pd}_./]", "").str.replace(r"^0+(\d+)$", "$1")


def _words(values: pl.Series, *, with_digits: bool) -> pl.DataFrame:
    """Each distinct ``value`` with its words in plain form: the whole, words, their parts, and numbers within.

    ``with_digits`` leaves out words without one, where all identifiers have some.
    """
    value, lists = pl.col("value"), pl.List(pl.String)
    wanted = pl.col("word").str.contains(r"\d" if with_digits else "")
    distinct = values.alias("value").drop_nulls().unique().to_frame().with_columns(word=value).filter(wanted)
    parts = (value.str.extract_all(form).cast(lists) for form in (WORD, r"[\p{L}\d]+", rf"\d{{{SHORTEST_IN_ROW},}}"))
    written = distinct.filter(~value.str.contains(r"^\d+$")).select("value", word=pl.concat_list(*parts))
    words = pl.concat([distinct, written.explode("word", empty_as_null=True)]).filter(wanted)
    return words.select("value", _plain(pl.col("word"))).unique()


def _numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """Identifiers as numbers: those of digits, and the digits of others if they are many and tell one identifier."""
    digits = pl.col("plain").str.replace_all(r"\P{Nd}", "").str.replace(r"^0+(\d+)$", "$1")
    told = rows.select("id", word=digits, lettered=pl.col("plain").str.contains(r"\p{L}")).drop_nulls().unique()
    told = told.filter(~pl.col("lettered") | (pl.col("word").str.len_chars() >= SHORTEST_NUMBER))
    return told.filter((pl.col("word") != "") & (pl.len().over("word") == 1)).select("id", "word")


def _lettered(rows: pl.DataFrame, words: pl.DataFrame) -> pl.Series:
    lettered, length = pl.col("plain").str.contains(r"\p{L}"), pl.col("plain").str.len_chars()
    own = _plain(pl.col("value")).str.contains(pl.col("plain"), literal=True) & (length >= SHORTEST_IN_ROW)
    wanted = rows.filter(lettered & (length >= SHORTEST_WORD))["plain"].unique()
    holding = words.filter(pl.col("word").is_in(wanted.implode()))["value"].unique()
    held = pl.col("value").is_in(holding.implode())
    return rows.select(((own & lettered).fill_null(False)) | held.fill_null(False)).to_series()


def _own_numbers(rows: pl.DataFrame, words: pl.DataFrame, numbers: pl.DataFrame) -> pl.Series:
    """Numbers in their own patient's row; a short one must be the whole value. None if chance may explain them."""
    whole = pl.col("word") == _plain(pl.col("value"))
    tried = words.filter(pl.col("word").str.contains(r"^\d+$"))
    tried = tried.filter(whole | (pl.col("word").str.len_chars() >= SHORTEST_IN_ROW))
    holding = tried.join(numbers, on="word").select("id", "value", held=True).unique()
    found = rows.join(holding, on=["id", "value"], how="left", maintain_order="left")["held"].fill_null(False)
    per_value = tried.height / max(tried["value"].n_unique(), 1)
    return found if found.sum() >= MANY_BY_CHANCE * max(per_value, 1) else _nowhere(rows.height)


def _anyones(values: pl.Series, words: pl.DataFrame, numbers: pl.DataFrame) -> pl.Series:
    """Values that are some patient's number, if most are and each stands once: a column that was moved by some rows.

    Measurements repeat; they may all be some patient's number where a register's are dense.
    """
    tried = words.filter(pl.col("word").str.contains(rf"^\d{{{SHORTEST_ANYWHERE},}}$"))
    held = tried.filter(pl.col("word").is_in(numbers["word"].implode()))
    holding = values.is_in(held["value"].unique().implode()).fill_null(False)
    known, rows = held["word"].n_unique(), int(holding.sum())
    most = known >= max(MANY_BY_CHANCE, LEAST_ANYWHERE * tried["word"].n_unique(), ONCE * rows)
    return holding if most and rows >= LEAST_ANYWHERE * values.count() else _nowhere(len(values))


def _nowhere(rows: int) -> pl.Series:
    return pl.repeat(False, rows, eager=True)
