"""Rows of a cohort as FHIR R4 resources.

Belongs here: the mapping of one row. Does not belong here: bundles and files (``bundles``). A missing value has no
resource. What a codebook knows to be absent is said: a refuted Condition, a Procedure not done, a drug not taken.

References
----------
HL7 FHIR R4 (4.0.1): Patient, Encounter, Condition, Observation, MedicationStatement, Procedure; security labels PSEUDED
and HTEST (v3-ObservationValue, v3-ActReason).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl

from harmonisation.fhir.codes import (
    Place,
    codebook_system,
    codings,
    gender_of,
    is_age,
    is_death,
    place,
    units,
)
from records.schema import Column, Kind, Role, Schema

Resource = dict[str, Any]
# A cohort without calendar dates has one index day for all, which means nothing but "day 0".
INDEX_DAY = date(2000, 1, 1)
_HL7 = "http://terminology.hl7.org/CodeSystem"
_LABELS = {
    False: {"system": f"{_HL7}/v3-ObservationValue", "code": "PSEUDED"},
    True: {"system": f"{_HL7}/v3-ActReason", "code": "HTEST"},
}


def patients(frame: pl.DataFrame, schema: Schema, *, synthetic: bool) -> Iterator[list[Resource]]:
    """The resources of each row, the Patient first, the Encounter second.

    Parameters
    ----------
    frame : polars.DataFrame
        In schema form; columns outside the schema are ignored.
    synthetic : bool
        Marks every resource as not of a patient (security label HTEST).
    """
    columns = [(column, place(column, schema)) for column in schema.columns if column.name in frame.columns]
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        stem = f"synthetic-{number}" if synthetic else f"p{number}"
        yield _Row(row, schema, columns, stem, {"security": [_LABELS[synthetic]]}).resources()


class _Row:
    """One row on its way into resources."""

    def __init__(
        self, row: dict[str, Any], schema: Schema, columns: list[tuple[Column, Place]], stem: str, meta: Resource
    ) -> None:
        self.row, self.schema, self.columns, self.stem, self.meta = row, schema, columns, stem, meta
        self.day: date = row.get(schema.index_date or "") or INDEX_DAY

    def resources(self) -> list[Resource]:
        return [self._patient(), self._encounter(), *self._findings()]

    def _head(self, kind: str, suffix: str = "") -> Resource:
        return {"resourceType": kind, "id": f"{self.stem}{suffix}".replace("_", "-")[:64], "meta": self.meta}

    def _patient(self) -> Resource:
        made = self._head("Patient")
        for column, where in self.columns:
            value = self.row[column.name]
            if value is None:
                continue
            if where is Place.IDENTIFIER:
                made["identifier"] = [{"system": codebook_system(self.schema, column), "value": str(value)}]
            elif where is Place.GENDER:
                made["gender"] = gender_of(column, value)
            elif is_age(column):
                made["birthDate"] = str(self.day.year - int(value))
            elif is_death(column):
                made |= self._death(str(value))
        return made

    def _death(self, event: str) -> Resource:
        if event == "1" and (last := self._last()):
            return {"deceasedDateTime": last}
        return {"deceasedBoolean": event == "1"}

    def _last(self) -> str | None:
        """The day on which follow-up ends, if it is known to the day."""
        time = self.schema.time
        days = self.row.get(time.name) if time is not None and time.unit == "d" else None
        return None if days is None else (self.day + timedelta(days=int(days))).isoformat()

    def _encounter(self) -> Resource:
        made = self._head("Encounter", "-index") | {
            "status": "finished",
            "class": {"system": f"{_HL7}/v3-ActCode", "code": "AMB"},
            "subject": self._subject(),
            "period": {"start": self.day.isoformat()},
        }
        for column, where in self.columns:
            if where is Place.SITE and (value := self.row[column.name]) is not None:
                site = {"system": codebook_system(self.schema, column), "value": str(value)}
                made["serviceProvider"] = {"identifier": site}
        return made

    def _findings(self) -> Iterator[Resource]:
        makers = {
            Place.OBSERVATION: self._observation,
            Place.CONDITION: self._condition,
            Place.MEDICATION: self._medication,
            Place.PROCEDURE: self._procedure,
        }
        for column, where in self.columns:
            if where in makers and (value := self.row[column.name]) is not None:
                coded = {"coding": codings(column, self.schema), "text": column.label}
                yield self._head(where.value, f"-{column.name}") | makers[where](column, value, coded)

    def _subject(self) -> Resource:
        return {"reference": f"Patient/{self.stem}"}

    def _context(self) -> Resource:
        return {"subject": self._subject(), "encounter": {"reference": f"Encounter/{self.stem}-index"}}

    def _observation(self, column: Column, value: Any, coded: Resource) -> Resource:
        made = {"status": "final", "code": coded, "subject": self._subject(), **_value(column, value, self.schema)}
        if column.role is not Role.EVENT:
            return made | self._context() | {"effectiveDateTime": self.day.isoformat()}
        # An event ends the follow-up: it is neither of the index date nor of its encounter.
        return made | ({"effectiveDateTime": last} if (last := self._last()) else {})

    def _condition(self, column: Column, value: Any, coded: Resource) -> Resource:
        said = "confirmed" if value == "1" else "refuted"
        status: Resource = {"verificationStatus": _concept("condition-ver-status", said)}
        if value == "1":
            status["clinicalStatus"] = _concept("condition-clinical", "active")
        return status | {"code": coded, **self._context(), "recordedDate": self.day.isoformat()}

    def _medication(self, column: Column, value: Any, coded: Resource) -> Resource:
        status = "completed" if value == "1" else "not-taken"
        context = {"subject": self._subject(), "context": self._context()["encounter"]}
        return {"status": status, "medicationCodeableConcept": coded, **context, "effectiveDateTime": str(self.day)}

    def _procedure(self, column: Column, value: Any, coded: Resource) -> Resource:
        status = "completed" if value == "1" else "not-done"
        return {"status": status, "code": coded, **self._context(), "performedDateTime": self.day.isoformat()}


def _value(column: Column, value: Any, schema: Schema) -> Resource:
    if column.kind is Kind.INTEGER and column.unit is None:
        return {"valueInteger": int(value)}
    if column.numeric:
        return {"valueQuantity": {"value": value, **units(column)}}
    if isinstance(value, date):
        return {"valueDateTime": value.isoformat()}
    if column.kind is Kind.CATEGORY:
        label = column.levels[str(value)]
        coding = {"system": codebook_system(schema, column), "code": str(value), "display": label}
        return {"valueCodeableConcept": {"coding": [coding], "text": label}}
    return {"valueString": str(value)}


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}
