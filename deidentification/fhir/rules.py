"""What happens to each element of each resource. What is not listed is dropped.

Belongs here: the table. Does not belong here: how a rule is carried out (``engine``, ``values``).

A rule is the name of a way to treat a value, a ``Codes`` of what may stay, or the rules of the parts of an element. ``DROP``
is written out for elements that hold identifiers, so that the report names them.

References
----------
HL7 FHIR R4 (4.0.1), resource definitions. 45 CFR 164.514(b)(2), Safe Harbor. Regulation (EU) 2016/679, Recital 26.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Codes:
    """The codes of a required value set that may stay."""

    allowed: frozenset[str]


Rule: TypeAlias = "str | Codes | Mapping[str, Rule]"


def _codes(text: str) -> Codes:
    return Codes(frozenset(text.split()))


DROP = "drop"
_C, _Q, _R, _D, _P, _N = "concept", "quantity", "reference", "date", "period", "note"
_EVENT = _codes("preparation in-progress not-done on-hold stopped completed entered-in-error unknown")
_ANNOTATION: Rule = "annotation"
_DOSAGE: Rule = {
    "sequence": "integer", "asNeededBoolean": "boolean", "route": _C, "site": _C, "method": _C, "text": _N,
    "timing": {"code": _C, "repeat": {
        "frequency": "integer", "frequencyMax": "integer", "period": "number", "count": "integer", "duration": "number",
        "periodUnit": _codes("s min h d wk mo a"), "durationUnit": _codes("s min h d wk mo a"), "boundsPeriod": _P}},
    "doseAndRate": {"type": _C, "doseQuantity": _Q, "doseRange": "range", "rateQuantity": _Q, "rateRatio": "ratio"},
}  # fmt: skip
_TIMES = {"effectiveDateTime": _D, "effectivePeriod": _P}
_DRUG = {"medicationCodeableConcept": _C, "medicationReference": _R}
_VALUE: Mapping[str, Rule] = {
    "valueQuantity": _Q, "valueCodeableConcept": _C, "valueString": _N, "valueBoolean": "boolean", "valueInteger": "integer",
    "valueRange": "range", "valueRatio": "ratio", "valueDateTime": _D, "valuePeriod": _P, "dataAbsentReason": _C,
    "interpretation": _C, "referenceRange": {"low": _Q, "high": _Q, "type": _C},
}  # fmt: skip
_SHELL: Mapping[str, Rule] = {
    "identifier": "pseudonym", "name": DROP, "alias": DROP, "telecom": DROP, "address": DROP, "contact": DROP,
    "photo": DROP, "birthDate": DROP, "gender": DROP, "qualification": DROP,
}  # fmt: skip

ELEMENTS: Mapping[str, Mapping[str, Rule]] = {
    "Patient": {
        "identifier": "pseudonym", "active": "boolean", "name": DROP, "telecom": DROP, "photo": DROP, "contact": DROP,
        "communication": DROP, "generalPractitioner": DROP, "link": DROP, "gender": _codes("male female other unknown"),
        "birthDate": "birth", "deceasedBoolean": "boolean", "deceasedDateTime": _D, "address": "address",
        "maritalStatus": _C, "managingOrganization": _R,
    },
    "Encounter": {
        "identifier": DROP, "participant": DROP, "location": DROP,
        "status": _codes("planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"),
        "class": "required coding", "type": _C, "serviceType": _C, "priority": _C, "subject": _R, "period": _P, "length": _Q,
        "reasonCode": _C, "diagnosis": {"condition": _R, "use": _C, "rank": "integer"},
        "hospitalization": {"admitSource": _C, "dischargeDisposition": _C}, "serviceProvider": _R, "partOf": _R,
    },
    "Condition": {
        "identifier": DROP, "recorder": DROP, "asserter": DROP, "clinicalStatus": _C, "verificationStatus": _C,
        "category": _C, "severity": _C, "code": _C, "bodySite": _C, "subject": _R, "encounter": _R, "onsetDateTime": _D,
        "onsetPeriod": _P, "onsetAge": "age", "onsetString": DROP, "abatementDateTime": _D, "abatementPeriod": _P,
        "abatementAge": "age", "abatementString": DROP, "recordedDate": _D, "stage": {"summary": _C, "type": _C},
        "evidence": {"code": _C}, "note": _ANNOTATION,
    },
    "Observation": {
        "identifier": DROP, "performer": DROP, "device": DROP, "focus": DROP,
        "status": _codes("registered preliminary final amended corrected cancelled entered-in-error unknown"),
        "category": _C, "code": _C, "subject": _R, "encounter": _R, **_TIMES, "effectiveInstant": _D, "issued": _D,
        **_VALUE, "note": _ANNOTATION, "bodySite": _C, "method": _C, "specimen": _R, "hasMember": _R, "derivedFrom": _R,
        "component": {"code": _C, **_VALUE},
    },
    "MedicationStatement": {
        "identifier": DROP, "informationSource": DROP, "statusReason": _C, "category": _C, **_DRUG, "subject": _R,
        "status": _codes("active completed entered-in-error intended stopped on-hold unknown not-taken"), "context": _R,
        **_TIMES, "dateAsserted": _D, "reasonCode": _C, "note": _ANNOTATION, "dosage": _DOSAGE,
    },
    "MedicationRequest": {
        "identifier": DROP, "requester": DROP, "performer": DROP, "recorder": DROP, "dispenseRequest": DROP,
        "status": _codes("active on-hold cancelled completed entered-in-error stopped draft unknown"),
        "intent": _codes("proposal plan order original-order reflex-order filler-order instance-order option"),
        "priority": _codes("routine urgent asap stat"), "doNotPerform": "boolean", "category": _C, **_DRUG, "subject": _R,
        "encounter": _R, "authoredOn": _D, "reasonCode": _C, "note": _ANNOTATION, "dosageInstruction": _DOSAGE,
    },
    "MedicationAdministration": {
        "identifier": DROP, "performer": DROP, "device": DROP, "status": _EVENT, "category": _C, **_DRUG, "subject": _R,
        "context": _R, **_TIMES, "reasonCode": _C, "note": _ANNOTATION,
        "dosage": {"route": _C, "site": _C, "method": _C, "dose": _Q, "rateQuantity": _Q, "rateRatio": "ratio", "text": _N},
    },
    "Medication": {
        "identifier": DROP, "manufacturer": DROP, "batch": DROP, "code": _C, "form": _C,
        "status": _codes("active inactive entered-in-error"),
        "ingredient": {"itemCodeableConcept": _C, "isActive": "boolean", "strength": "ratio"},
    },
    "Procedure": {
        "identifier": DROP, "performer": DROP, "location": DROP, "recorder": DROP, "asserter": DROP, "status": _EVENT,
        "statusReason": _C, "category": _C, "code": _C, "subject": _R, "encounter": _R, "performedDateTime": _D,
        "performedPeriod": _P, "performedAge": "age", "performedString": DROP, "reasonCode": _C, "bodySite": _C,
        "outcome": _C, "complication": _C, "followUp": _C, "note": _ANNOTATION,
    },
    "AllergyIntolerance": {
        "identifier": DROP, "recorder": DROP, "asserter": DROP, "clinicalStatus": _C, "verificationStatus": _C,
        "type": _codes("allergy intolerance"), "category": _codes("food medication environment biologic"),
        "criticality": _codes("low high unable-to-assess"), "code": _C, "patient": _R, "encounter": _R,
        "onsetDateTime": _D, "recordedDate": _D, "lastOccurrence": _D, "note": _ANNOTATION,
        "reaction": {"substance": _C, "manifestation": "required concept", "severity": _codes("mild moderate severe"),
                     "onset": _D, "exposureRoute": _C},
    },
    "Immunization": {
        "identifier": DROP, "performer": DROP, "lotNumber": DROP, "location": DROP, "manufacturer": DROP,
        "status": _codes("completed entered-in-error not-done"), "statusReason": _C, "vaccineCode": _C, "patient": _R,
        "encounter": _R, "occurrenceDateTime": _D, "primarySource": "boolean", "site": _C, "route": _C,
        "doseQuantity": _Q, "note": _ANNOTATION,
    },
    "DiagnosticReport": {
        "identifier": DROP, "performer": DROP, "resultsInterpreter": DROP, "presentedForm": DROP, "media": DROP,
        "status": _codes("registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"),
        "category": _C, "code": _C, "subject": _R, "encounter": _R, **_TIMES, "issued": _D, "result": _R, "specimen": _R,
        "conclusion": _N, "conclusionCode": _C,
    },
    "Specimen": {
        "identifier": DROP, "accessionIdentifier": DROP, "status": _codes("available unavailable unsatisfactory entered-in-error"),
        "type": _C, "subject": _R, "receivedTime": _D, "note": _ANNOTATION,
        "collection": {"collectedDateTime": _D, "collectedPeriod": _P, "method": _C, "bodySite": _C, "quantity": _Q},
    },
    "Practitioner": _SHELL, "PractitionerRole": _SHELL, "Organization": _SHELL, "Location": _SHELL,
    "RelatedPerson": {**_SHELL, "patient": _R},
}  # fmt: skip
COMMON: Mapping[str, Rule] = {
    "id": "id", "meta": "meta", "text": DROP, "contained": DROP, "implicitRules": DROP, "language": DROP,
    "extension": "extension",
}  # fmt: skip
# A resource without these ([x]: of any type) is no FHIR; a concept among them is masked where it may not stay, anything else drops the resource.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Encounter": ("status", "class"), "Condition": ("subject",), "Observation": ("status", "code"),
    "MedicationStatement": ("status", "medication[x]", "subject"), "Procedure": ("status", "subject"),
    "MedicationRequest": ("status", "intent", "medication[x]", "subject"), "AllergyIntolerance": ("patient",),
    "MedicationAdministration": ("status", "medication[x]", "subject", "effective[x]"), "DiagnosticReport": ("status", "code"),
    "Immunization": ("status", "vaccineCode", "patient", "occurrence[x]"), "RelatedPerson": ("patient",),
}  # fmt: skip
# The element that names the patient.
SUBJECT = {"AllergyIntolerance": "patient", "Immunization": "patient", "RelatedPerson": "patient"}
# A modifier extension changes what a resource says; without it the resource would say something else.
MODIFIER = "modifierExtension"
EXTENSIONS = {
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex": {"M", "F", "UNK", "OTH"},
}
