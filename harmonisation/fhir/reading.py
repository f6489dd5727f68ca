"""A folder of FHIR R4 as a cohort's table.

Belongs here: gathering what is said of each patient and bringing it into schema form. Does not belong here: reading one
resource (``facts``), or files (``sources``). What is wrong stops the reading with all problems named; what a codebook
has no place for is counted and left.

Hospitals' exports do not say what a patient does not have. There a condition, drug or procedure that no resource speaks
of is absent, if the codebook has it known for everybody and the folder holds resources of that type at all. Files that
this project wrote say what is absent.

References
----------
HL7 FHIR R4 (4.0.1): References, "Resolving references"; Bundle.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from harmonisation.fhir.codes import Place, is_age, is_death, place, yes_no
from harmonisation.fhir.facts import USED, Fact, Reader
from harmonisation.fhir.problems import Problems
from harmonisation.fhir.sources import Entry, entries
from harmonisation.fhir.validity import objections
from records.schema import Schema
from records.validation import validate


@dataclass(frozen=True)
class FhirRead:
    """A table from FHIR.

    Parameters
    ----------
    frame : polars.DataFrame
        In schema form, one row a patient.
    resources : mapping of str to int
        Type to number of resources read.
    skipped : mapping of str to int
        Reason to number of resources or values left out.
    """

    frame: pl.DataFrame
    resources: dict[str, int]
    skipped: dict[str, int]


@dataclass
class _Folder:
    """What a folder says, before references are resolved."""

    facts: list[Fact] = field(default_factory=list)
    patients: list[dict[str, Any]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)
    resources: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


def read_bundles(source: Path, schema: Schema) -> FhirRead:
    """Read a file or a folder of bundles, single resources and NDJSON.

    Parameters
    ----------
    source : Path
        Never changed.
    schema : Schema
        The codebook; columns are found by their codes.

    Raises
    ------
    StorageError
        There is nothing to read.
    TableError
        Not FHIR, a reference to nobody, an id used twice, a unit that is missing or not the codebook's, or a table that
        breaks the codebook; with file and JSON path, never a value.
    ParameterError
        The extra ``fhir`` is not installed.
    """
    problems, folder = Problems(source.name), _Folder()
    reader = Reader(schema, problems, folder.skipped)
    for entry in entries(source, problems):
        _take(entry, folder, reader, problems)
    rows = _rows(folder, schema, problems, {} if reader.own else _absent(schema, folder.resources))
    problems.refuse()
    raw = pl.DataFrame(rows, schema={c.name: _raw(c.dtype) for c in schema.columns}, orient="row", strict=False)
    return FhirRead(validate(raw, schema, source=source.name), dict(folder.resources), dict(folder.skipped))


def _take(entry: Entry, folder: _Folder, reader: Reader, problems: Problems) -> None:
    kind = entry.resource["resourceType"]
    if kind not in USED:
        folder.skipped["resource type without a place in a codebook"] += 1
        return
    wrong = list(objections(entry.resource))
    for path, what in wrong:
        problems.add(entry.where + path, "be right FHIR R4", what, "mend the export")
    if wrong or _repeated(entry, folder, problems):
        return
    folder.resources[kind] += 1
    if contained := entry.resource.get("contained"):
        folder.skipped["contained resource"] += len(contained)
    if kind == "Patient":
        _patient(entry, folder, reader)
    else:
        folder.facts.extend(reader.facts(entry))


def _repeated(entry: Entry, folder: _Folder, problems: Problems) -> bool:
    identity = entry.resource.get("id")
    if identity is None:
        return False
    name = f"{entry.resource['resourceType']}/{identity}"
    digest = hashlib.sha256(json.dumps(entry.resource, sort_keys=True).encode()).digest()
    if name not in folder.seen:
        folder.seen[name] = digest
        return False
    if folder.seen[name] == digest:
        folder.skipped["the same resource again"] += 1
        if entry.url and name in folder.names:
            folder.names[entry.url] = folder.names[name]
    else:
        problems.add(f"{entry.where}.id", "be the id of one resource", "an id used before", "give each its own id")
    return True


def _patient(entry: Entry, folder: _Folder, reader: Reader) -> None:
    number = len(folder.patients)
    folder.patients.append(reader.patient(entry.resource))
    if identity := entry.resource.get("id"):
        folder.names[f"Patient/{identity}"] = number
    if entry.url:
        folder.names[entry.url] = number


def _rows(folder: _Folder, schema: Schema, problems: Problems, absent: dict[str, str]) -> list[tuple[Any, ...]]:
    values: list[dict[str, Any]] = [{} for _ in folder.patients]
    dated = sorted(_resolved(folder, problems), key=lambda found: found[1].day or date.max)
    days: dict[int, date] = {}
    for number, fact in dated:
        if fact.day is not None and (fact.index or number not in days):
            days[number] = fact.day
        if fact.column in values[number]:
            folder.skipped["later value of the same column"] += 1
        elif fact.column:
            values[number][fact.column] = fact.value
    for number, (patient, found) in enumerate(zip(folder.patients, values, strict=True)):
        derived = _derived(patient, days.get(number), schema)
        values[number] = absent | derived | found
    return [tuple(found.get(column.name) for column in schema.columns) for found in values]


def _absent(schema: Schema, resources: Mapping[str, int]) -> dict[str, str]:
    """What holds of a patient of whom nothing is said."""
    stated = [c for c in schema.columns if yes_no(c) and not c.missing and place(c, schema) is not Place.OBSERVATION]
    return {column.name: "0" for column in stated if resources[place(column, schema).value]}


def _resolved(folder: _Folder, problems: Problems) -> Iterable[tuple[int, Fact]]:
    unknown: set[str] = set()
    for fact in folder.facts:
        number = _number(fact.subject, folder.names)
        if number is not None:
            yield number, fact
        elif fact.where not in unknown:
            unknown.add(fact.where)
            remedy = "add the Patient or take the resource out"
            problems.add(fact.where, "refer to a Patient in the folder", "a reference to nobody", remedy)


def _number(subject: str, names: dict[str, int]) -> int | None:
    if subject in names:
        return names[subject]
    # An absolute address, or one of a version, ends in Type/id.
    parts = subject.partition("/_history/")[0].split("/")
    return names.get("/".join(parts[-2:]))


def _derived(patient: dict[str, Any], day: date | None, schema: Schema) -> dict[str, Any]:
    """What a Patient tells about columns that have no resource: sex, age on the index day, death."""
    found = dict(patient["values"])
    born, died, dead = patient["born"], patient["died"], patient["dead"]
    for column in schema.columns:
        if is_age(column) and born and day:
            found[column.name] = _age(born, day)
        elif is_death(column) and dead is not None:
            found[column.name] = "1" if dead else "0"
    if schema.time and schema.time.unit == "d" and schema.event and is_death(schema.event) and died and day:
        found[schema.time.name] = (died - day).days
    if schema.index_date and day:
        found[schema.index_date] = day
    return found


def _age(born: str, day: date) -> int:
    """Full years; of a year of birth alone, the difference of years."""
    years = day.year - int(born[:4])
    return years - (len(born) == 10 and (day.month, day.day) < (int(born[5:7]), int(born[8:10])))


def _raw(dtype: pl.DataType) -> pl.DataType:
    return pl.String() if isinstance(dtype, pl.Enum) else dtype
