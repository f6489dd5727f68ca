"""One resource under the rules.

Belongs here: walking the table of rules and counting what happened. Does not belong here: files (``bundles``).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from deidentification.fhir.codes import MASKED
from deidentification.fhir.rules import COMMON, DROP, ELEMENTS, MODIFIER, REQUIRED, Codes, Rule
from deidentification.fhir.values import WAYS, Scope, capped_age

PSEUDONYMS = "urn:phaseiv:pseudonym"
# LOINC: age; age, reported; age, calculated.
_AGES = {"30525-0", "21612-7", "29553-5"}
Counts = Counter[tuple[str, str]]


def deidentified(resource: dict[str, Any], scope: Scope, counts: Counts) -> dict[str, Any] | None:
    """The resource as it may leave, or ``None``; ``counts`` gets (path, ``kept | changed | removed``) for each element.

    Parameters
    ----------
    resource : dict
        With a ``resourceType`` that the rules know; not changed.
    """
    kind = resource["resourceType"]
    if MODIFIER in resource:
        counts[f"{kind}.{MODIFIER}", "resource removed"] += 1
        return None
    kept = {"resourceType": kind} | _parts(resource, {**COMMON, **ELEMENTS[kind]}, kind, scope, counts)
    if "meta" not in kept:
        kept["meta"] = WAYS["meta"](None, scope)
    if "pseudonym" in ELEMENTS[kind].values():
        kept = _with_pseudonym(kept, scope)
    if kind == "Observation":
        _cap_ages(kept)
    for name in REQUIRED.get(kind, ()):
        if not _mended(kept, resource, name):
            counts[f"{kind}.{name}", "resource removed"] += 1
            return None
    return kept


def _parts(
    value: Mapping[str, Any], rules: Mapping[str, Rule], path: str, scope: Scope, counts: Counts
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, old in value.items():
        if name == "resourceType":
            continue
        rule = rules.get(name)
        # A name that the rules do not know comes from the data and is not repeated.
        where = f"{path}.{name}" if rule is not None else f"{path}.(other)"
        new = _treated(old, rule, where, scope, counts) if rule is not None else None
        if new is None or new == []:
            counts[where, "removed"] += 1
        else:
            kept[name] = new
            counts[where, "kept" if new == old else "changed"] += 1
    return kept


def _treated(old: Any, rule: Rule, path: str, scope: Scope, counts: Counts) -> Any:
    if rule == DROP or rule == "pseudonym":
        return None
    if isinstance(old, list):
        return [new for one in old if (new := _treated_one(one, rule, path, scope, counts)) is not None]
    return _treated_one(old, rule, path, scope, counts)


def _treated_one(old: Any, rule: Rule, path: str, scope: Scope, counts: Counts) -> Any:
    if isinstance(rule, Codes):
        return old if isinstance(old, str) and old in rule.allowed else None
    if isinstance(rule, str):
        return WAYS[rule](old, scope)
    return _parts(old, rule, path, scope, counts) or None if isinstance(old, dict) else None


def _with_pseudonym(kept: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """An identifier that is the patient's pseudonym, or of others the new id; Organization must have one (org-1)."""
    of_patient = scope.kind == "Patient" and scope.person is not None
    value = scope.person.pseudonym if of_patient and scope.person else kept.get("id")
    return kept | ({"identifier": [{"system": PSEUDONYMS, "value": value}]} if value else {})


def _cap_ages(kept: dict[str, Any]) -> None:
    """Ages over 90 are 90, also in an observation or a part of it; an age without a unit is one in years."""
    for part in (kept, *_objects(kept.get("component"))):
        codes = {coding["code"] for concept in _objects(part.get("code")) for coding in concept["coding"]}
        for name in [name for name in part if name.startswith("value")] if codes & _AGES else ():
            if (capped := capped_age(part.pop(name))) is not None:
                part[name] = capped


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of an element, whether it was written as one or as a list."""
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _mended(kept: dict[str, Any], resource: dict[str, Any], name: str) -> bool:
    """Whether a required element is there, if need be as a masked concept; ``[x]`` stands for a choice of types."""
    kind, base = resource["resourceType"], name.removesuffix("[x]")
    if any(key.startswith(base) if base != name else key == name for key in kept):
        return True
    named = base if base == name else f"{base}CodeableConcept"
    if ELEMENTS[kind].get(named) != "concept" or not isinstance(resource.get(named), dict):
        return False
    kept[named] = MASKED
    return True
