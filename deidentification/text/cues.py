"""Names that their place in a note gives away: entries of a list of patients, an initial in lower case.

Belongs here: rules for a whole line or phrase. Does not belong here: rules for a word and its neighbours (``judging``,
``joining``).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from deidentification.text.language import language
from deidentification.text.spans import Kind, Span
from deidentification.text.words import PARTICLES, Words
from deidentification.text.written import CAPITALISED, alternatives

_LOWER = re.compile(
    r"(?<![\w.])(?P<initial>[a-zß-öø-ÿ])\. ?(?P<word>[^\W\d_A-ZÀ-Þ]{3,}(?:[-'’][^\W\d_]{2,})?)(?![\w/])"
)
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ'’-]+"
_CAPITALS = re.compile(rf"\b(?P<family>{_CAPITAL}(?: {_CAPITAL}){{0,2}}), (?P<given>{_CAPITAL})(?: {_CAPITAL})?\b")
_HEAD = rf"(?P<it>{CAPITALISED}(?:,? (?:(?:{'|'.join(sorted(PARTICLES))}) )*{CAPITALISED}){{0,3}})"
_ENDS = (r"(?=[–—→]|->|=>|- )", r"(?<= )(?=(?:for|to|para|per|a) )")
_NOT_NAMES = (
    "titles",
    "roles",
    "relatives",
    "days",
    "stop",
    "record",
    "departments",
    "phone",
    "of_terms",
    "hospital_first",
)


def dotted(text: str, words: Words) -> Iterator[Span]:
    """An initial and a family name in lower case: *seen by j. mcallister*, *puheterapeutti m. korhonen*."""
    for match in _LOWER.finditer(text):
        word = match["word"]
        lead = re.findall(r"[^\W\d_]+", text[max(0, match.start() - 40) : match.start()])[-3:]
        cued = any(words.listed(one, what) for one in lead for what in ("titles", "roles", "relatives", "naming"))
        name = words.name(word) and not words.known(word)
        if (name or cued) and not words.listed(word, "stop") and not words.listed(word, "common"):
            yield Span(match.start("initial"), match.end("word"), Kind.PERSON)


def in_capitals(text: str, words: Words) -> Iterator[Span]:
    """Family name, comma, given name, all in capitals, as hospitals' programs write them: *CORTE-REAL, BRUNO*."""
    for match in _CAPITALS.finditer(text):
        if words.given(match["given"]) and _nameable(match["family"].capitalize(), words):
            yield Span(match.start(), match.end(), Kind.PERSON)


def initials(text: str, words: Words) -> Iterator[Span]:
    """Initials of who typed or signed a note: *typed by sj*, *LL Sanni Rautiainen / ER 3.4.2021*."""
    signing = alternatives(words.language.listed("signing"))
    for form in (
        rf"\b(?i:{signing})(?: (?:by|por|da|di))?:? (?P<it>[A-ZÄÖ]{{2,4}})\b(?![ -][A-Z])",
        rf"\b(?i:{signing}) (?:by|por|da|di) (?P<it>[a-zäö]{{2,3}})(?=[,.;)/]|$)",
        r"[a-zß-öø-ÿ] / (?P<it>[A-ZÄÖ]{2,3})(?= \d{1,2}\.\d)",
    ):
        yield from (Span(match.start("it"), match.end("it"), Kind.PERSON) for match in re.finditer(form, text))


def entries(text: str, words: Words, persons: Sequence[Span]) -> Iterator[Span]:
    """Heads of a list's entries, if another head is a person: *Vitória Ramos - RT; Pé-Curto - vigilância*."""
    for pattern in _entries(words.code):
        found = list(pattern.finditer(text))
        sure = sum(any(p.start < m.end("it") and m.start("it") < p.end for p in persons) for m in found)
        heads = [match for match in found if _nameable(match["it"], words, alone=sure > 1)]
        if len(heads) > 1 and sure:
            yield from (Span(match.start("it"), match.end("it"), Kind.PERSON) for match in heads)


@cache
def _entries(code: str) -> tuple[re.Pattern[str], ...]:
    """An entry's head, after a title or none, at the beginning of a line or after a colon, semicolon or comma."""
    title = rf"(?:(?i:{alternatives(language(code).listed('titles'))})\.? )?"
    return tuple(
        re.compile(rf"(?:^|(?<=[:;\n])|(?<=[:;,] ))(?: ?\d{{1,2}}[.)])? ?{title}{_HEAD} ?{end}") for end in _ENDS
    )


def _nameable(head: str, words: Words, *, alone: bool = False) -> bool:
    """Whether no word of it is a term, an acronym or a word that leads to a name; an ordinary word may be one ``alone``."""
    parts = [part for part in re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", head) if part not in PARTICLES]
    return all(
        len(part) > 1
        and not words.clinical(part)
        and not (part.isupper() and len(part) < 6)
        and not any(words.listed(part, what) for what in _NOT_NAMES)
        and not (len(parts) == 1 and not alone and words.known(part) and "-" not in part and not words.name(part))
        for part in parts
    )
