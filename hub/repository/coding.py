"""What the codes of a codebook say about a column: age, sex, and its concept.

Belongs here: finding demographic columns and coded names. Does not belong here: writing a format (``omop``).

References
----------
LOINC 30525-0 (Age), 76689-9 (Sex assigned at birth), 46098-0 (Sex). UCUM: ``a`` is a year.
"""

from datetime import date

from records.schema import Column, Kind, Role, Schema

AGE_CODES, SEX_CODES = {"30525-0"}, {"76689-9", "46098-0"}
# The released table holds no calendar dates: all rows share one index day, which means nothing but "day 0".
INDEX_DAY = date(2000, 1, 1)
SEXES = {"female": "female", "f": "female", "woman": "female", "male": "male", "m": "male", "man": "male"}


def age_column(schema: Schema) -> Column | None:
    """The column that holds the age in years."""
    return next((c for c in schema.columns if c.codes.get("LOINC") in AGE_CODES and c.unit in ("a", None)), None)


def sex_column(schema: Schema) -> Column | None:
    """The column that holds the sex."""
    return next((c for c in schema.columns if c.codes.get("LOINC") in SEX_CODES and c.kind is Kind.CATEGORY), None)


def sex_of(column: Column, level: object) -> str | None:
    """``female``, ``male``, or ``None`` where it is neither or unknown."""
    words = (str(level), column.levels.get(str(level), ""))
    return next((SEXES[word.lower()] for word in words if word.lower() in SEXES), None)


def birth_year(age: object) -> int | None:
    """The year of birth of somebody of ``age`` on the index day."""
    return INDEX_DAY.year - int(age) if isinstance(age, int | float) else None


def findings(schema: Schema) -> list[Column]:
    """Columns that become findings of a person: all but identifiers, age and sex."""
    person = {c.name for c in (age_column(schema), sex_column(schema)) if c is not None}
    return [c for c in schema.columns if c.name not in person and c.role is not Role.IDENTIFIER]


def source_code(column: Column) -> str:
    """The column's concept as ``LOINC:8480-6``; without a code its name."""
    for system in ("LOINC", "SNOMED"):
        if system in column.codes:
            return f"{system}:{column.codes[system]}"
    return column.name
