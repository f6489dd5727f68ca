"""Annotated sentences told again with other names, numbers and letters' cases.

Belongs here: changes that keep the annotation true. Does not belong here: new sentences (``slots``).
"""

import re
from collections.abc import Sequence

from benchmarks.tagging.draws import Draws
from deidentification.text.measuring import Annotated
from deidentification.text.spans import Kind, Span
from deidentification.text.words import PARTICLES

_WORD = re.compile(r"[^\W\d_]+")
_NUMBERS = frozenset({Kind.MRN, Kind.PHONE, Kind.NATIONAL_ID})


def varied(sentence: Annotated, draws: Draws) -> Annotated:
    """The sentence with other identifiers, eponyms and brands, and now and then all in lower case or capitals."""
    text, spans, end = "", [], 0
    for span in sentence.spans:
        text += _others(sentence.text[end : span.start], draws)
        value = _other(span.kind, sentence.text[span.start : span.end], draws)
        spans.append(Span(len(text), len(text) + len(value), span.kind))
        text += value
        end = span.end
    return recased(Annotated(text + _others(sentence.text[end:], draws), tuple(spans)), draws)


def recased(sentence: Annotated, draws: Draws) -> Annotated:
    """One sentence in nine in another case; letters that change their number with their case stay as they are."""
    chance = draws.random.random()
    text = sentence.text.lower() if chance < 0.07 else sentence.text.upper() if chance < 0.11 else sentence.text
    return Annotated(text, sentence.spans) if len(text) == len(sentence.text) else sentence


def _other(kind: Kind, found: str, draws: Draws) -> str:
    if kind is Kind.PERSON and draws.random.random() < 0.8:
        return _named(found, draws)
    if kind in _NUMBERS and draws.random.random() < 0.5:
        return draws.shaped(re.sub("[A-Z]", "A", re.sub(r"\d", "9", found)))
    return found


def _others(text: str, draws: Draws) -> str:
    """Text with half of its capitalised eponyms, devices, brands and trials replaced by others of their sort."""
    return _WORD.sub(lambda match: _of_its_sort(match[0], draws), text)


def _of_its_sort(word: str, draws: Draws) -> str:
    sorts = list(draws.words.sorts(word)) if len(word) > 3 and word[0].isupper() else []
    if not sorts or draws.words.known(word) or draws.random.random() < 0.5:
        return word
    new = draws.of_sort(draws.random.choice(sorts))
    return new.upper() if word.isupper() else new


def _named(found: str, draws: Draws) -> str:
    """Each word of a name replaced, with its case and its Finnish ending."""
    words = list(_WORD.finditer(found))
    return _WORD.sub(lambda match: _word(match, words, draws), found)


def _word(match: re.Match[str], words: Sequence[re.Match[str]], draws: Draws) -> str:
    word = match[0]
    if len(word) < 2 or word.lower() in PARTICLES or draws.words.listed(word, "titles"):
        return word
    alone = len(words) == 1
    new = draws.family() if (alone and draws.random.random() < 0.5) or match.start() else draws.given()
    form = (draws.words.form(word, "given") or draws.words.form(word, "family")) if draws.code == "fi" else None
    if form and form.ending in ("n", "lle", "lla", "llä", "lta", "ltä", "sta", "stä", "ssa", "ssä"):
        new = draws.inflected(new, form.ending)
    return new.upper() if word.isupper() else new.lower() if word.islower() else new
