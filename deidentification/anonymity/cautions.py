"""What a codebook leaves out of k-anonymity though it may tell who a patient is.

Belongs here: cautions from the codebook and the released table, in words. Does not belong here: identifiers, which are
refused (``identification``), or the risk of the columns that are called quasi-identifiers (``risk``).
"""

import re
from collections.abc import Iterator

import polars as pl

from deidentification.anonymity.anonymisation import quasi_identifiers
from records.schema import Column, Kind, Role, Schema

OLDEST = 90
"""Ages from here on are to be one category (45 CFR 164.514(b)(2)(i)(C))."""
NO_CLASSES = "no column is called quasi-identifier or site: k and the risks mean nothing"
LOINC = {
    "30525-0": "age",
    "21612-7": "age",
    "46098-0": "sex",
    "76689-9": "sex",
    "21112-8": "date of birth",
    "45401-7": "place",
}
WORDS = {
    "age": "age ages ikä ika ålder alder edad età eta idade leeftijd âge",
    "sex": "sex gender sukupuoli kön kon sexo sesso genere geslacht sexe",
    "date of birth": "birth birthdate dob syntymäaika syntymaaika syntymäpäivä födelsedatum nacimiento nascita nascimento geboortedatum naissance",
    "place": "postcode zip zipcode postal municipality kunta postinumero kommun municipio comune município postnummer",
}


def cautions(schema: Schema, table: pl.DataFrame) -> tuple[str, ...]:
    """Cautions for a person to judge.

    Parameters
    ----------
    schema : Schema
        Of the source.
    table : polars.DataFrame
        As released, columns of the source by their names.
    """
    return tuple(_cautions(schema, table))


def _cautions(schema: Schema, table: pl.DataFrame) -> Iterator[str]:
    chosen = quasi_identifiers(schema)
    if not chosen:
        yield f"{NO_CLASSES}; give this role to what others may know of a patient"
    for column in schema.columns:
        if column.name not in table.columns:
            continue
        if (known := _known_to_others(column)) and column not in chosen and column.role is not Role.IDENTIFIER:
            yield f"{column.name} seems to tell the {known} and is no quasi-identifier: it is released beside k; give it the role"
        if _is_age(column) and (old := _older(table[column.name])):
            yield f"{column.name} holds {old} patients older than {OLDEST}; give it top_code: {OLDEST}"


def _known_to_others(column: Column) -> str | None:
    coded = next((LOINC[code] for code in column.codes.values() if code in LOINC), None)
    words = set(re.findall(r"[^\W\d_]+", f"{column.name} {column.source or ''}".lower()))
    return coded or next((what for what, listed in WORDS.items() if words & set(listed.split())), None)


def _is_age(column: Column) -> bool:
    return column.kind in (Kind.INTEGER, Kind.NUMBER) and column.unit == "a" and _known_to_others(column) == "age"


def _older(values: pl.Series) -> int:
    """A generalised column is text: its bands say by themselves whether they are capped."""
    return int((values > OLDEST).sum()) if values.dtype.is_numeric() else 0
