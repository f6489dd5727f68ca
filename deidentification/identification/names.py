"""Person names in a column, by shape and by a list of common names.

Belongs here: whether values of a column look like names of persons. Does not belong here: names inside prose
(``deidentification.text``). Only common names of nine countries are listed, so one rare name is not known for one;
a column of names is, since most columns of names hold common ones too.

References
----------
45 CFR 164.514(b)(2)(i)(A). The names are the most frequent of each country's population register or statistics.
"""

from functools import cache
from importlib.resources import files

import polars as pl

_WORD = r"\p{Lu}[\p{L}'’-]*\.?"
_PARTICLE = r"(?:(?:de|da|do|dos|das|del|della|di|van|von|der|den|la|le|y|e|af)\s+)*"
FULL_NAME = rf"^{_WORD}(?:,?\s+{_PARTICLE}{_WORD}){{1,4}}$"
ONE_NAME = rf"^{_WORD}$"
_SURNAME, _INITIALS = rf"{_PARTICLE}[\p{{L}}'’-]{{2,}}", r"(?:\p{L}\.[ -]?){1,3}"
WITH_INITIALS = rf"(?i)^(?:(?:dr|prof)\.?\s+)?(?:{_SURNAME},\s*\p{{L}}(?:[. -]*\p{{L}}){{0,2}}\.?|{_SURNAME}\s+{_INITIALS}|{_INITIALS}\s*{_SURNAME})$"
ANY_CASE = r"^[\p{L}'’-]+(?:,?\s+[\p{L}'’-]+){1,4}$"
PLACE = r"(?i)\b(?:san|santa|sant|saint|st|sankt|são|los|las|hospital|clinic|university|sairaala|ospedale|hôpital)\b"
FEWEST_FULL, LEAST_FULL = 3, 0.2
FEWEST_SINGLE, LEAST_SINGLE = 5, 0.6


def person_names(values: pl.Series) -> pl.Series:
    """Which of a column's distinct values are names of persons.

    A value of two to five capitalised words counts if a word is a common given name and none tells a place or a
    hospital; so does a common surname with initials, and a common given name with a common surname in any case. Values
    are only called names if they are many: 3 and a fifth of the distinct values; single words, which may be anything,
    5 and three fifths.

    Parameters
    ----------
    values : polars.Series of String, distinct, without nulls

    Returns
    -------
    polars.Series of Boolean, of the same length
    """
    known = pl.DataFrame({"words": _words(values)}).with_row_index("row").explode("words", empty_as_null=True)
    given, family = (pl.col("words").is_in(list(listed)) for listed in (_listed("given"), _listed("family")))
    found = known.group_by("row", maintain_order=True).agg(
        given=given.sum(), family=family.sum(), either=(given | family).sum()
    )
    full = (values.str.contains(FULL_NAME) & (found["given"] > 0)) | (
        values.str.contains(WITH_INITIALS) & (found["family"] > 0)
    )
    full |= values.str.contains(ANY_CASE) & (found["given"] > 0) & (found["family"] > 0) & (found["either"] > 1)
    full &= ~values.str.contains(PLACE) & ~values.str.to_lowercase().is_in(_places())
    single = values.str.contains(ONE_NAME) & (found["either"] > 0)
    full_enough = full.sum() >= max(FEWEST_FULL, LEAST_FULL * len(values))
    single_enough = single.sum() >= max(FEWEST_SINGLE, LEAST_SINGLE * len(values))
    return (full & full_enough) | (single & single_enough)


def _words(values: pl.Series) -> pl.Series:
    plain = values.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    return plain.str.extract_all(r"\p{L}+")


@cache
def _listed(what: str) -> frozenset[str]:
    """Listed names whose heading starts with ``what``: ``given`` or ``family``."""
    text = files("deidentification.identification").joinpath("common_names.txt").read_text(encoding="utf-8")
    lines = [line.split(":", 1) for line in text.splitlines() if not line.startswith("#")]
    return frozenset(name for heading, names in lines if heading.startswith(what) for name in names.split())


@cache
def _places() -> list[str]:
    """Places of more than one word, some of which are called after persons: ``Ciudad Rodrigo``."""
    text = files("deidentification.text").joinpath("lexicon/places.tsv").read_text(encoding="utf-8")
    names = (line.split("\t")[0].lower() for line in text.splitlines())
    return [name for name in names if " " in name]
