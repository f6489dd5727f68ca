"""A confirmed draft as the beginning of a codebook that a person completes.

Belongs here: columns with concept, unit and kind and, where a known codebook has the same variable, its public bounds and
levels. Does not belong here: bounds or levels from the data, which would tell of patients: what no codebook knows is left
open, and loading the codebook says what is missing. Its ``codes`` bring the concepts to OMOP and FHIR.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from harmonisation.assistant.candidates import listed
from harmonisation.assistant.draft import Entry, load_confirmed
from records.files import write_atomically
from records.schema import Column, Kind, Role, Schema

HEAD = """# A codebook begun from a confirmed draft. Add the patient's identifier, and look at every role, bound and level;
# what is empty (null, {}) is open. Where the table writes other levels than stand here, say which: recode: {M: male, N: female}.
# Columns without a concept are not in it.
"""
SHARED = {
    "role",
    "kind",
    "unit",
    "minimum",
    "maximum",
    "earliest",
    "latest",
    "levels",
    "codes",
    "bins",
    "step",
    "top_code",
}


def write_codebook(path: Path, draft: Path, schemas: Iterable[Schema]) -> list[str]:
    """Write the codebook that a confirmed draft begins; returns the columns whose bounds or levels are open.

    Raises
    ------
    CodebookError
        It is no draft, or a column waits for a person.
    StorageError
        The codebook cannot be written.
    """
    columns = begun(load_confirmed(draft), schemas)
    document = {"name": _name(path.stem), "title": path.stem, "columns": columns}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(path, (HEAD + text).encode())
    return [one["name"] for one in columns if one.get("levels") == {} or ("minimum" in one and one["minimum"] is None)]


def begun(confirmed: Mapping[str, Entry], schemas: Iterable[Schema]) -> list[dict[str, Any]]:
    """The codebook's columns, in the draft's order, each with the table's own name as ``source``."""
    known = [column for schema in schemas for column in schema.columns]
    made: list[dict[str, Any]] = []
    for source, entry in confirmed.items():
        name = _name(source)
        taken = sum(one["name"] == name for one in made)
        head = {"name": f"{name}_{taken + 1}" if taken else name, "label": entry.label or source}
        made.append(head | _meaning(entry, known) | {"missing": True, "source": source})
    return made


def _meaning(entry: Entry, known: Iterable[Column]) -> dict[str, Any]:
    """What a known codebook says of the concept in this unit, else what the list of common variables says."""
    system, _, code = (entry.concept or "").partition(":")
    for column in known:
        if column.codes.get(system) == code and column.unit == entry.unit and column.role is not Role.IDENTIFIER:
            return column.model_dump(mode="json", include=SHARED, exclude_defaults=True)
    kind = next((one.kind for one in listed() if one.concept == entry.concept), Kind.CATEGORY)
    limits = {"levels": {}} if kind is Kind.CATEGORY else {"unit": entry.unit, "minimum": None, "maximum": None}
    return {"role": Role.COVARIATE.value, "kind": kind.value, **limits, "codes": {system: code}}


def _name(text: str) -> str:
    """A name that codebooks allow: small letters, digits and ``_``, a letter first."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if name[:1].isalpha() else f"c_{name}"
