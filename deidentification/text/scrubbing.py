"""One note scrubbed: identifiers found, and surrogates or tags in their place.

Belongs here: the order of steps for one text. Does not belong here: finding (``written``, ``names``, ``known``, ``weighing``)
or tables (``columns``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from deidentification.pseudonyms import refuse_short_key
from deidentification.text.detection import detect
from deidentification.text.features import verdicts
from deidentification.text.known import known_spans
from deidentification.text.language import AUTO, Language, language
from deidentification.text.names import names
from deidentification.text.spans import Kind, Span, disjoint
from deidentification.text.surrogates import Surrogates
from deidentification.text.tagger import Tagger, tagger
from deidentification.text.weighing import Weighing, stood_in
from deidentification.text.words import Words
from deidentification.text.written import written

TAG = re.compile(rf"\[(?:{'|'.join(Kind)})\]")


class Mode(StrEnum):
    """What stands in an identifier's place: a likely other one, or its kind in brackets."""

    SURROGATE = "surrogate"
    TAG = "tag"


@dataclass(frozen=True)
class Scrubbed:
    """The new text, its language, and where in the *old* text identifiers of which kind stood."""

    text: str
    spans: tuple[Span, ...]
    language: str


def scrub(
    text: str,
    *,
    language: str = AUTO,
    patient: str,
    key: bytes,
    known: Sequence[str] = (),
    mode: Mode = Mode.SURROGATE,
) -> Scrubbed:
    """Take identifiers out of a note.

    Parameters
    ----------
    text : str
    language : str
        ``en``, ``fi``, ``es``, ``it``, ``pt``, or ``auto``.
    patient : str
        The patient's identifier in the hospital: fixes the surrogates and the shift of dates.
    key : bytes
        The project's key, at least 16 bytes.
    known : sequence of str
        The patient's own name, numbers and address from the table's columns; they are found wherever they stand.
    mode : Mode

    Raises
    ------
    ParameterError
        The language is not covered, or the key is too short.
    """
    refuse_short_key(key, "the pseudonym key", "use a longer key")
    spoken = chosen(text, language)
    spans = find(text, spoken, known)
    if mode is Mode.TAG:
        new = [f"[{span.kind}]" for span in spans]
    else:
        surrogates = Surrogates(patient, key, spoken, known)
        new = [surrogates.of(span.kind, text[span.start : span.end]) for span in spans]
    return Scrubbed(_replaced(text, spans, new), spans, spoken.code)


def chosen(text: str, code: str) -> Language:
    """The language of ``code``, or the text's own for ``auto``."""
    return language(detect(text) if code == AUTO else code)


def find(text: str, spoken: Language, known: Sequence[str] = ()) -> tuple[Span, ...]:
    """Disjoint spans of all identifiers; tags of an earlier run are left alone, and the tagger finds nothing more beside them."""
    return weighed(text, spoken, tagger(), known)


def weighed(text: str, spoken: Language, tagger: Tagger, known: Sequence[str] = ()) -> tuple[Span, ...]:
    """As ``find``, by this tagger."""
    tags = [Span(*m.span(), Kind(m[0][1:-1])) for m in TAG.finditer(text)]
    seen, forms, named = stood_in(text, tags), list(written(text, spoken)), list(names(text, spoken))
    likely = tagger.likely(seen, verdicts(seen, [*forms, *named, *tags]), spoken.code)
    weighing = Weighing(seen, likely, Words(spoken))
    found = [*forms, *weighing.kept(named, scrubbed=bool(tags)), *known_spans(text, known, spoken.code)]
    found += () if tags else weighing.added(found)
    kept = (s for s in found if not any(s.start < tag.end and tag.start < s.end for tag in tags))
    return disjoint(kept, text)


def _replaced(text: str, spans: Sequence[Span], pieces: Sequence[str]) -> str:
    parts, end = [], 0
    for span, piece in zip(spans, pieces, strict=True):
        parts += [text[end : span.start], piece]
        end = span.end
    return "".join([*parts, text[end:]])
