"""What of a mapping was looked up, by code system: the sentence that each mapping file carries.

Belongs here: counting concepts that were checked and naming those that were not. Does not belong here: the look-up
(``vocabulary``), or a review by a clinician, which no count stands for.
"""

from collections import defaultdict

from harmonisation.omop.mapping import Concept, OmopMapping


def checked_by_system(mapping: OmopMapping) -> dict[str, tuple[int, int]]:
    """Code system to distinct concepts that were checked, and all; units are the system UCUM."""
    found = defaultdict[str, dict[str, bool]](dict)
    for concept in _named(mapping):
        codes = found[concept.vocabulary or ""]
        codes[concept.code or ""] = codes.get(concept.code or "", True) and concept.checked is not None
    return {system: (sum(codes.values()), len(codes)) for system, codes in sorted(found.items())}


def summary(mapping: OmopMapping) -> str:
    """``LOINC 5 of 7, UCUM 2 of 4; open: LOINC:1-1, UCUM:d``."""
    counts = ", ".join(f"{system} {done} of {total}" for system, (done, total) in checked_by_system(mapping).items())
    left = sorted({concept.text or "" for concept in _named(mapping) if concept.checked is None})
    return f"{counts}; open: {', '.join(left) or 'none'}"


def _named(mapping: OmopMapping) -> list[Concept]:
    return [concept for _, concept in mapping.concepts() if concept.code]
