"""Who is who in a set of FHIR files: which resource belongs to which patient, and when a patient was last seen.

Belongs here: what the first pass gathers. Does not belong here: changing anything (``engine``).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from deidentification.fhir.keys import tail
from deidentification.fhir.numbers import named, numbers
from deidentification.fhir.rules import ELEMENTS, SUBJECT
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

    ``numbers`` holds all numbers of each of them, under any of which they may have opted out; ``owners`` who has a number.
    ``known`` holds what their Patient resources say of them, to be looked for in notes; it never leaves.
    """

    identities: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, set[str]] = field(default_factory=dict)
    owners: dict[str, set[str]] = field(default_factory=dict)
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
        own = numbers(resource)
        identity = next(iter([*own, *names]), None)
        if identity is None:
            return
        if any(self.identities.get(name, identity) != identity for name in names):
            raise StorageError(
                "ids of Patients must name one patient each, got the id of one with the identifier of another; "
                "de-identify the exports of different systems one by one"
            )
        self.identities |= dict.fromkeys(names, identity)
        self.numbers.setdefault(identity, set()).update(own, (name.rpartition("/")[2] for name in names))
        for number in own:
            self.owners.setdefault(number, set()).add(identity)
        self.known[identity] = tuple(dict.fromkeys([*self.known.get(identity, ()), *_telling(resource, _TELLING)]))

    def note_dates(self, resource: dict[str, Any], url: object) -> None:
        """Remember a patient's latest date; call it when all Patients are known."""
        identity = self.identity(resource, url)
        if identity is None:
            return
        if identity in _named(resource):  # of a number alone, and no Patient is in the files
            self.numbers.setdefault(identity, {identity})
        days = [day for day in _days({k: v for k, v in resource.items() if k != "birthDate"}) if day <= date.today()]
        self.last_seen[identity] = max([*days, self.last_seen.get(identity, date.min)])

    def identity(self, resource: dict[str, Any], url: object) -> str | None:
        """The patient's identifier, or what the reference says where the Patient is not in the files."""
        if resource["resourceType"] == "Patient":
            name = f"Patient/{resource['id']}" if isinstance(resource.get("id"), str) else tail(url)
            return self.identities.get(name or "", name)
        subject = _subject(resource)
        name = tail(subject.get("reference")) if subject else None
        if name and name in self.identities:
            return self.identities[name]
        if named_by := _named(resource):
            owners = {owner for number in named_by for owner in self.owners.get(number, ())}
            return owners.pop() if len(owners) == 1 else None if owners else named_by[0]
        return name

    def told(self, identity: str | None) -> bool:
        """Whether a patient's numbers are known, so that one can look whether the patient opted out."""
        return identity in self.numbers


def of_a_patient(resource: dict[str, Any]) -> bool:
    """Whether such a resource is of one patient: it is a Patient, or names one where all of its kind do."""
    kind = resource["resourceType"]
    return kind == "Patient" or SUBJECT.get(kind, "subject") in ELEMENTS.get(kind, {})


def _subject(resource: dict[str, Any]) -> dict[str, Any] | None:
    subject = resource.get(SUBJECT.get(resource["resourceType"], "subject"))
    return subject if isinstance(subject, dict) else None


def _named(resource: dict[str, Any]) -> list[str]:
    return named(subject, resource) if (subject := _subject(resource)) else []


def _telling(value: Any, parts: Iterable[str]) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            for part in parts:
                yield from _telling(one.get(part), _TELLING.get(part, ()))


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
