"""Where an identifier stands in a text, and of which kind.

Belongs here: the kinds and spans that never overlap. Does not belong here: finding them.

References
----------
45 CFR 164.514(b)(2)(i), the identifiers of Safe Harbor.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of identifiers, the surest first: where two overlap the earlier keeps its place."""

    EMAIL = "EMAIL"
    URL = "URL"
    IBAN = "IBAN"
    NATIONAL_ID = "NATIONAL_ID"
    ADDRESS = "ADDRESS"
    DATE = "DATE"
    MRN = "MRN"
    PHONE = "PHONE"
    AGE = "AGE"
    ORGANISATION = "ORGANISATION"
    PERSON = "PERSON"
    LOCATION = "LOCATION"


RANK = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, order=True)
class Span:
    """Characters ``start`` to ``end`` (exclusive) of a text, and their kind. The text itself is not kept."""

    start: int
    end: int
    kind: Kind


def disjoint(spans: Iterable[Span], text: str) -> tuple[Span, ...]:
    """Spans that cover all that ``spans`` cover, without overlap, trimmed to letters and digits, in order."""
    owner: list[Span | None] = [None] * len(text)
    for span in sorted(spans, key=lambda s: (-RANK[s.kind], s.end - s.start)):
        owner[span.start : span.end] = [span] * (span.end - span.start)
    runs: list[Span] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or owner[at] is not owner[start]:
            if (of := owner[start]) is not None and (run := _trimmed(Span(start, at, of.kind), text)) is not None:
                runs.append(run)
            start = at
    return tuple(runs)


def _trimmed(span: Span, text: str) -> Span | None:
    start, end = span.start, span.end
    while start < end and not (text[start].isalnum() or text[start] in "+("):
        start += 1
    while end > start and not (text[end - 1].isalnum() or text[end - 1] == "+"):
        end -= 1
    return Span(start, end, span.kind) if any(c.isalnum() for c in text[start:end]) else None
