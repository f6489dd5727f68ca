"""What one resource says about a patient, in terms of the codebook's columns.

Belongs here: reading Patient, Encounter, Condition, Observation, MedicationStatement and Procedure. Does not belong
here: whom a reference means (``reading``).

References
----------
HL7 FHIR R4 (4.0.1): Observation.component (blood pressure panels), Condition.verificationStatus, event status.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from harmonisation.fhir.codes import Place, by_coding, codebook_system, level_of_gender, place, yes_no
from harmonisation.fhir.problems import Problems
from harmonisation.fhir.sources import Entry
from records.schema import Column, Kind, Schema

Json = dict[str, Any]
_CODE = {"MedicationStatement": "medicationCodeableConcept"}
_DATES = (
    "effectiveDateTime", "effectiveInstant", "effectivePeriod", "onsetDateTime", "onsetPeriod", "recordedDate",
    "performedDateTime", "performedPeriod", "period",
)  # fmt: skip
_VOID = {"entered-in-error", "cancelled", "unknown", "registered", "preparation"}
_NO = {"refuted", "not-done", "not-taken"}
USED = {"Patient", "Encounter", "Condition", "Observation", "MedicationStatement", "Procedure"}


@dataclass(frozen=True)
class Fact:
    """A value of a column (or, without one, a day) for whom ``subject`` means; ``index`` marks an Encounter's day."""

    subject: str
    where: str
    day: date | None
    column: str | None = None
    value: Any = None
    index: bool = False


class Reader:
    """Reads resources against one codebook; problems, what is left out and whose codes they are is noted on the way."""

    def __init__(self, schema: Schema, problems: Problems, skipped: Counter[str]) -> None:
        self.schema, self.problems, self.skipped = schema, problems, skipped
        self.columns, self.own = by_coding(schema), False

    def patient(self, resource: Json) -> Json:
        """Values of the identifier and the sex, and days of birth and death."""
        values: Json = {}
        for column in self.schema.columns:
            where = place(column, self.schema)
            if where is Place.IDENTIFIER:
                values[column.name] = self._identifier(column, resource)
            elif where is Place.GENDER:
                values[column.name] = level_of_gender(column, resource.get("gender"))
        died = resource.get("deceasedDateTime")
        dead = True if died else resource.get("deceasedBoolean")
        return {"values": values, "born": resource.get("birthDate"), "died": _day(died), "dead": dead}

    def facts(self, entry: Entry) -> Iterator[Fact]:
        """The facts of a resource that is not a Patient."""
        resource = entry.resource
        status = {resource.get("status"), *_codes(resource.get("verificationStatus"))}
        if status & _VOID:
            self.skipped["status says not to use it"] += 1
            return
        subject = (resource.get("subject") or {}).get("reference") or ""
        where = f"{entry.where}.subject.reference"
        day = next((found for name in _DATES if (found := _day(resource.get(name)))), None)
        if resource["resourceType"] == "Encounter":
            yield from self._encounter(resource, subject, where, day)
            return
        found = False
        for column, value in self._values(entry, no=bool(status & _NO)):
            found = True
            if value is not None:
                yield Fact(subject, where, day, column.name, value)
        if not found:
            self.skipped["no column has its code"] += 1
            yield Fact(subject, where, None)

    def _encounter(self, resource: Json, subject: str, where: str, day: date | None) -> Iterator[Fact]:
        yield Fact(subject, where, day, index=True)
        site = (resource.get("serviceProvider") or {}).get("identifier") or {}
        for column in self.schema.columns:
            if site.get("system") == codebook_system(self.schema, column):
                yield Fact(subject, where, day, column.name, site.get("value"))

    def _values(self, entry: Entry, *, no: bool) -> Iterator[tuple[Column, Any]]:
        resource, kind = entry.resource, entry.resource["resourceType"]
        if kind != "Observation":
            column = self._column(resource.get(_CODE.get(kind, "code")))
            if column is not None and yes_no(column):
                yield column, "0" if no else "1"
            return
        parts = [(resource, entry.where)]
        parts += [(part, f"{entry.where}.component[{n}]") for n, part in enumerate(resource.get("component", []))]
        for part, where in parts:
            if (column := self._column(part.get("code"))) is not None:
                yield column, self._value(column, part, where)

    def _column(self, concept: Json | None) -> Column | None:
        codings = [(c.get("system", ""), c.get("code", "")) for c in (concept or {}).get("coding", [])]
        own = [key for key in codings if key[0] == codebook_system(self.schema)]
        self.own |= bool(own)
        return next((self.columns[key] for key in own + codings if key in self.columns), None)

    def _value(self, column: Column, part: Json, where: str) -> Any:
        if column.numeric:
            return self._number(column, part, where)
        if column.kind is Kind.CATEGORY:
            return self._level(column, part)
        if column.kind is Kind.DATE:
            return _day(part.get("valueDateTime"))
        return part.get("valueString")

    def _number(self, column: Column, part: Json, where: str) -> float | None:
        if "valueInteger" in part and column.unit in (None, "1"):
            return part["valueInteger"]
        quantity = part.get("valueQuantity")
        if quantity is None or quantity.get("value") is None or quantity.get("comparator"):
            self.skipped["no plain number"] += 1
            return None
        unit = quantity.get("code") or quantity.get("unit")
        if _same_unit(unit, column.unit):
            return quantity["value"]
        got = "no unit" if unit is None else "another unit"
        self.problems.add(f"{where}.valueQuantity", f"be in {column.unit or '1'}", got, "convert it at the source")
        return None

    def _level(self, column: Column, part: Json) -> str | None:
        if "valueBoolean" in part and yes_no(column):
            return "1" if part["valueBoolean"] else "0"
        concept = part.get("valueCodeableConcept") or {}
        own = codebook_system(self.schema, column)
        for coding in concept.get("coding", []):
            if coding.get("system") == own and coding.get("code") in column.levels:
                return coding["code"]
        words = {str(w).casefold() for w in (concept.get("text"), part.get("valueString")) if w}
        words |= {str(c["display"]).casefold() for c in concept.get("coding", []) if c.get("display")}
        level = next((level for level, label in column.levels.items() if label.casefold() in words), None)
        if level is None:
            self.skipped["a value that is no level of the codebook"] += 1
        return level

    def _identifier(self, column: Column, resource: Json) -> str | None:
        listed = resource.get("identifier", [])
        own = [one for one in listed if one.get("system") == codebook_system(self.schema, column)]
        return next((one["value"] for one in own + listed if one.get("value")), resource.get("id"))


def _same_unit(unit: str | None, wanted: str | None) -> bool:
    if wanted in (None, "1"):
        # UCUM: what stands in braces is an annotation of the unit 1.
        return unit in (None, "1") or str(unit).startswith("{")
    return unit == wanted


def _codes(concept: Json | None) -> set[str]:
    return {coding.get("code", "") for coding in (concept or {}).get("coding", [])}


def _day(value: Any) -> date | None:
    """The day of a FHIR date, dateTime or Period; ``None`` where there is none or it is not known to the day."""
    if isinstance(value, dict):
        value = value.get("start")
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None
