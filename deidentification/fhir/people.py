"""Who is who in a set of FHIR files: which resource belongs to which patient, and when a patient was last seen.

Belongs here: what the first pass gathers. Does not belong here: changing anything (``engine``).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from deidentification.fhir.keys import tail
from deidentification.fhir.rules import SUBJECT
from records.errors import StorageError

_DAY = re.compile(r"(\d{4}-\d\d)(-\d\d)?(T.*)?", re.ASCII)
_LAST = "-28"  # of a month without a day: no earlier than what the record says but for three days
# Parts of a Patient by which notes may call the person or the family.
_TELLING = {
    "name": ("text", "family", "given"), "identifier": ("value",), "telecom": ("value",),
    "address": ("text", "line", "city", "postalCode"), "contact": ("name", "telecom", "address"),
}  # fmt: skip


@dataclass
class People:
    """Names of patients: by ``Type/id`` and by full URL to the identifier that their key and shift come from.

    ``known`` holds what their Patient resources say of them, to be looked for in notes; it never leaves.
    """

    identities: dict[str, str] = field(default_factory=dict)
    last_seen: dict[str, date] = field(default_factory=dict)
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def note_patient(self, resource: dict[str, Any], url: object) -> None:
        """Remember how a Patient is called.

        Raises
        ------
        StorageError
            Another patient has the same name, so that records would be joined to the wrong person.
        """
        names = [f"Patient/{resource['id']}"] if isinstance(resource.get("id"), str) else []
        names += [found for found in (tail(url),) if found]
        identity = _medical_record_number(resource) or next(iter(names), None)
        if identity is None:
            return
        if any(self.identities.get(name, identity) != identity for name in names):
            raise StorageError(
                "ids of Patients must name one patient each, got the id of one with the identifier of another; "
                "de-identify the exports of different systems one by one"
            )
        self.identities |= dict.fromkeys(names, identity)
        self.known[identity] = tuple(dict.fromkeys([*self.known.get(identity, ()), *_telling(resource, _TELLING)]))

    def note_dates(self, resource: dict[str, Any], url: object) -> None:
        """Remember a patient's latest date; call it when all Patients are known."""
        identity = self.identity(resource, url)
        if identity is None:
            return
        days = [day for day in _days({k: v for k, v in resource.items() if k != "birthDate"}) if day <= date.today()]
        self.last_seen[identity] = max([*days, self.last_seen.get(identity, date.min)])

    def identity(self, resource: dict[str, Any], url: object) -> str | None:
        """The patient's identifier, or what the reference says where the Patient is not in the files."""
        kind = resource["resourceType"]
        if kind == "Patient":
            name = f"Patient/{resource['id']}" if isinstance(resource.get("id"), str) else tail(url)
            return self.identities.get(name or "", name)
        subject = resource.get(SUBJECT.get(kind, "subject"))
        name = tail(subject.get("reference")) if isinstance(subject, dict) else None
        return self.identities.get(name, name) if name else None


def _telling(value: Any, parts: Iterable[str]) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            for part in parts:
                yield from _telling(one.get(part), _TELLING.get(part, ()))


def _medical_record_number(resource: dict[str, Any]) -> str | None:
    listed = resource.get("identifier")
    known = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    values = [(one["value"], one) for one in known if isinstance(one.get("value"), str) and one["value"]]
    ranked = sorted(values, key=lambda pair: not _is_medical_record_number(pair[1]))
    return ranked[0][0] if ranked else None


def _is_medical_record_number(identifier: dict[str, Any]) -> bool:
    kind = identifier.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    return isinstance(codings, list) and any(isinstance(c, dict) and c.get("code") == "MR" for c in codings)


def _days(value: Any) -> Iterator[date]:
    if isinstance(value, str):
        if found := _DAY.fullmatch(value):
            try:
                yield date.fromisoformat(found[1] + (found[2] or _LAST))
            except ValueError:
                return
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _days(part)
