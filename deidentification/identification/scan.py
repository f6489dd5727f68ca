"""Scan of a table's content for identifiers: every column and every row, whatever the codebook calls them.

Belongs here: which columns hold identifiers, of which kind, in how many rows; refusing them where the codebook calls
them something else. Does not belong here: what an identifier looks like (``national_ids``, ``patterns``, ``names``).

Each form is looked for in a column's distinct values by a regular expression, and only what fits is checked. A bare
number may fit a check digit by chance (one in eleven does), so bare numbers count only if more of them fit than
chance explains, beyond doubt in a column of numbers, likely in one of words, where long numbers have no place; a number
with letters or separators of its kind counts by itself.
"""

from collections.abc import Callable, Iterator

import polars as pl
from scipy.special import bdtrc

from deidentification.identification.finding import Concern, Finding
from deidentification.identification.names import person_names
from deidentification.identification.national_ids import NATIONAL_IDS
from deidentification.identification.own_identifiers import own_identifiers
from deidentification.identification.patterns import PATTERNS
from deidentification.identification.table_forms import TABLE_FORMS
from deidentification.identification.telephones import telephones
from records.errors import Problem, TableError
from records.schema import Role, Schema

OWN, NAMES, ALMOST_UNIQUE, FREE_TEXT = "patients' own identifiers", "person names", "almost unique", "free text"
TELEPHONE = "telephone"
CHANCE = 2 / 11
DATED = {"SE personnummer": 0.04, "BE rijksregisternummer": 0.002}
SURE, LIKELY = 1e-6, 0.05
"""Highest share of bare numbers of a form that fit by chance (the PT NIF's check digit), those with a date besides, and
levels of the binomial test: in a column of numbers, where numbers may begin with a date, and in one of words."""
REMEDY = "give it the role identifier, by which it is dropped, or clear these rows at the source"
PLACES = "; places called after persons can stand as codes"
TRIED_FIRST = 10_000
UNIQUE_SHARE, FEWEST_UNIQUE = 0.95, 50
PROSE_WORDS, PROSE_SHARE = 5.0, 0.2

FORMS: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    *((f"{n.country} {n.name}", n.pattern, n.valid) for n in NATIONAL_IDS),
    *((p.name, p.pattern, p.valid) for p in PATTERNS),
    *TABLE_FORMS,
)
_WORTH_A_LOOK = r"(?s)\d{2}.*\d{2}.*\d{2}|\d{5}|@|://|(?i:www\.)"
_DECIMAL = r"^[-+]?\d*\.\d+(?:[eE][-+]?\d+)?$"


def scan(frame: pl.DataFrame, identifier: str | None = None) -> tuple[Finding, ...]:
    """Identifiers in a table.

    Parameters
    ----------
    frame : polars.DataFrame, n rows
        As exported; all columns are scanned.
    identifier : str or None
        The column that names the patients, whose values are looked for in all others.

    Returns
    -------
    tuple of Finding
        In the order of the columns; a column may hold several kinds.
    """
    ids = _texts(frame[identifier]) if identifier in frame.columns and identifier else None
    found = []
    for name in frame.columns:
        if (texts := _texts(frame[name])) is not None:
            found += _findings(name, texts, frame[name], None if name == identifier else ids)
    return tuple(found)


def refuse_identifiers(frame: pl.DataFrame, schema: Schema, *, source: str = "the table") -> tuple[Finding, ...]:
    """Refuse a table with identifiers in a column that the codebook does not call an identifier.

    Parameters
    ----------
    frame : polars.DataFrame
        In the names of the codebook, validated or not; columns outside it, which are never read, are not scanned.
    source : str
        Name of the table in the error.

    Returns
    -------
    tuple of Finding
        What was found and allowed: the identifiers that the codebook names, and warnings.

    Raises
    ------
    TableError
        With all such columns: the kind and the number of rows, never a value.
    """
    named = schema.identifier.name if schema.identifier else None
    found = scan(frame.select(name for name in schema.names if name in frame.columns), named)
    hidden = {column.name for column in schema.columns if column.role is not Role.IDENTIFIER}
    problems = [
        Problem(
            f.column, f"hold no identifiers, being a {schema[f.column].role}", f"{f.rows} rows with {f.kind}",
            REMEDY + PLACES if f.kind == NAMES else REMEDY,
        )
        for f in found
        if f.concern is Concern.IDENTIFIER and f.column in hidden
    ]  # fmt: skip
    if problems:
        raise TableError(source, problems)
    return found


def _texts(column: pl.Series) -> pl.Series | None:
    """The column as text; ``None`` for types that hold no identifier. Whole floats are read as integers."""
    if column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        if not (whole.cast(column.dtype) == column.fill_nan(None)).all():
            return None
        column = whole
    if column.dtype.is_integer() or column.dtype in (pl.String, pl.Enum, pl.Categorical):
        return column.cast(pl.String).str.strip_chars()
    return None


def _findings(name: str, texts: pl.Series, column: pl.Series, ids: pl.Series | None) -> Iterator[Finding]:
    known = len(texts) - texts.null_count()
    counts = texts.drop_nulls().value_counts(name="rows")
    distinct, rows = counts[texts.name], counts["rows"]
    kinds = _forms(pl.DataFrame({"text": distinct, "rows": rows}))
    if called := int(rows.filter(telephones(distinct)).sum()):
        kinds[TELEPHONE] = max(called, kinds.get(TELEPHONE, 0))
    if not column.dtype.is_integer() and (named := int(rows.filter(person_names(distinct)).sum())):
        kinds[NAMES] = named
    if ids is not None and (own := int(own_identifiers(ids, texts).sum())):
        kinds[OWN] = own
    yield from (Finding(name, kind, held, held / known) for kind, held in kinds.items())
    yield from _warnings(name, distinct, known, column)


def _forms(counts: pl.DataFrame) -> dict[str, int]:
    """Rows that hold a valid match, by kind; ``counts`` has each distinct ``text`` with its ``rows``."""
    lettered = counts.filter(pl.col("text").str.contains(r"\p{L}{2}"))["rows"].sum()
    words = bool(lettered >= counts["rows"].sum() / 2)
    plain = pl.col("text").str.replace_all(r"[\p{Pd}−]", "-").str.replace_all(r"\p{Zs}", " ")
    worth = plain.str.contains(_WORTH_A_LOOK) & ~plain.str.contains(_DECIMAL)
    tried, kinds = counts.with_columns(text=plain).filter(worth), dict[str, int]()
    for kind, pattern, valid in FORMS if tried.height else ():
        chance, level = (DATED.get(kind, CHANCE), LIKELY) if words else (CHANCE, SURE)
        if held := _rows(tried, pattern, valid, chance, level):
            kinds[kind] = max(held, kinds.get(kind, 0))
    return kinds


def _rows(counts: pl.DataFrame, pattern: str, valid: Callable[[str], bool], chance: float, level: float) -> int:
    """Rows that hold a valid match of one form; no bare numbers if chance explains those that are valid."""
    held = counts.select("rows", match=pl.col("text").str.extract_all(pattern)).with_row_index()
    held = held.filter(pl.col("match").list.len() > 0).explode("match", empty_as_null=True)
    matches = held["match"].unique(maintain_order=True)
    bare = matches.str.contains(r"^\d+$")
    tried = matches if _beyond_chance(matches.filter(bare), valid, chance, level) else matches.filter(~bare)
    right = tried.filter(pl.Series([valid(text) for text in tried], dtype=pl.Boolean))
    return int(held.filter(pl.col("match").is_in(right.implode())).unique("index")["rows"].sum())


def _beyond_chance(numbers: pl.Series, valid: Callable[[str], bool], chance: float, level: float) -> bool:
    first = numbers[:TRIED_FIRST]
    fitting = sum(map(valid, first))
    return fitting > 0 and float(bdtrc(fitting - 1, len(first), chance)) < level


def _warnings(name: str, distinct: pl.Series, known: int, column: pl.Series) -> Iterator[Finding]:
    if column.dtype.is_float() or not known:
        return
    if known >= FEWEST_UNIQUE and len(distinct) >= UNIQUE_SHARE * known:
        yield Finding(name, ALMOST_UNIQUE, len(distinct), len(distinct) / known, Concern.WARNING)
    words = distinct.str.count_matches(r"\p{L}{2,}")
    prose = float((words >= PROSE_WORDS).mean() or 0)  # type: ignore[arg-type]
    if prose >= PROSE_SHARE and len(distinct) > PROSE_SHARE * known:
        yield Finding(name, FREE_TEXT, int(prose * known), prose, Concern.WARNING)
