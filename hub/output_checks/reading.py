"""Reading outputs: CSV files, alone or in a zip archive, within limits.

Belongs here: from bytes to tables. Does not belong here: judging them (``disclosure``).

Two layouts are understood. *Long*: a column ``count``, optionally ``sum`` and ``largest_1``, ``largest_2``, ...; all others
are labels. *Cross*: the first column holds the row labels, the header the column labels. Empty cells and ``*`` are
suppressed.

References
----------
RFC 4180 (CSV); OWASP, Zip bombs and path traversal ("Zip slip").
"""

import csv
import io
import math
from pathlib import PurePosixPath

from hub.output_checks.table import Cell, Labels, Table
from hub.repository.archives import Limits, read_archive
from records.errors import ParameterError

MIB = 1024 * 1024
LARGEST, MOST_MEMBERS, MOST_CELLS, MOST_VARIABLES, LONGEST_LABEL = 20 * MIB, 50, 20_000, 6, 200
# A table of many empty cells packs to a thousandth and is no bomb: what it unpacks to is limited instead.
LIMITS = Limits(archive=LARGEST, files=MOST_MEMBERS, unpacked=LARGEST, ratio=2000)
SUPPRESSED = frozenset({"", "*", "x", "s", "..", "-"})
COUNTS = ("count", "n", "frequency")


def read_tables(filename: str, content: bytes) -> list[Table]:
    """All tables of an output.

    Raises
    ------
    ParameterError
        It is no CSV file and no archive of CSV files, or is over a limit.
    """
    if len(content) > LARGEST:
        raise ParameterError(f"an output must have at most {LARGEST // MIB} MiB, got more; send fewer tables")
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return [read_csv(name, data) for name, data in _members(content)]
    return [read_csv(PurePosixPath(filename).name, content)]


def read_csv(name: str, content: bytes) -> Table:
    """One table."""
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ParameterError("an output must be a CSV file in UTF-8, got something else; save it as CSV") from error
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise ParameterError("a table must have a header and rows of its length, got another shape; mend it")
    if len(rows) * len(rows[0]) > MOST_CELLS * 2:
        raise ParameterError(f"a table must have at most {MOST_CELLS} cells, got more; an output is no file of rows")
    header = [column.strip()[:LONGEST_LABEL] for column in rows[0]]
    long = any(column.casefold() in COUNTS for column in header)
    return (_long if long else _cross)(name[:LONGEST_LABEL], header, rows[1:])


def _long(name: str, header: list[str], rows: list[list[str]]) -> Table:
    lower = [column.casefold() for column in header]
    largest = sorted((c for c in lower if c.startswith("largest_")), key=lambda c: (len(c), c))
    measures = {*COUNTS, "sum", *largest}
    variables = tuple(h for h, low in zip(header, lower, strict=True) if low not in measures)
    cells: dict[Labels, Cell] = {}
    for row in rows:
        by_name = dict(zip(lower, row, strict=True))
        labels = tuple(by_name[v.casefold()].strip()[:LONGEST_LABEL] for v in variables)
        count = _count(next(by_name[c] for c in COUNTS if c in by_name))
        total = _number(by_name.get("sum", ""))
        parts = tuple(x for c in largest if (x := _number(by_name[c])) is not None)
        _add(cells, labels, Cell(count, total, tuple(sorted(parts, reverse=True))))
    return _checked(name, variables, cells)


def _cross(name: str, header: list[str], rows: list[list[str]]) -> Table:
    first = header[0] or "row"
    cells: dict[Labels, Cell] = {}
    for row in rows:
        for column, text in zip(header[1:], row[1:], strict=True):
            _add(cells, (row[0].strip()[:LONGEST_LABEL], column), Cell(_count(text)))
    return _checked(name, (first, "column" if first != "column" else "columns"), cells)


def _add(cells: dict[Labels, Cell], labels: Labels, cell: Cell) -> None:
    if labels in cells:
        raise ParameterError("a table must have one row for each combination of labels, got two; an output is no file "
                             "of rows")  # fmt: skip
    cells[labels] = cell


def _checked(name: str, variables: tuple[str, ...], cells: dict[Labels, Cell]) -> Table:
    if not 1 <= len(variables) <= MOST_VARIABLES or len(set(variables)) < len(variables):
        raise ParameterError(
            f"a table must have 1 to {MOST_VARIABLES} different label columns, got {len(variables)}; mend the header"
        )
    table = Table(name, variables, cells)
    if math.prod(len(level) + 1 for level in table.levels) > MOST_CELLS:
        raise ParameterError(f"a table must have at most {MOST_CELLS} cells with its margins, got more; split it")
    return table


def _count(text: str) -> float | None:
    number = _number(text)
    if number is not None and (number < 0 or number != int(number)):
        raise ParameterError("a cell must be a count or be empty, got another number; send counts, not rates")
    return number


def _number(text: str) -> float | None:
    text = text.strip()
    if text.casefold() in SUPPRESSED or text.startswith("<"):
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ParameterError(
            "a cell must be a number or be empty, got something else; add a header with a column count"
        )
    return number


def _members(content: bytes) -> list[tuple[str, bytes]]:
    found = read_archive(content, LIMITS)
    if not found:
        raise ParameterError("an archive must hold at least one file, got none; add the tables")
    if any(PurePosixPath(name).suffix.casefold() != ".csv" for name in found):
        raise ParameterError("an archive must hold CSV files only, got another kind; take it out")
    return list(found.items())
