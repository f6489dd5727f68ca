"""Persons, organisations and towns in prose.

Belongs here: the order of the steps. Does not belong here: the steps (``judging``, ``joining``, ``cues``, ``organisations``), or
identifiers with a written form (``written``).
"""

import re
from collections.abc import Iterator

from deidentification.text.cues import dotted, entries, in_capitals, initials
from deidentification.text.joining import Joining
from deidentification.text.judging import Judging
from deidentification.text.language import Language
from deidentification.text.organisations import organisations
from deidentification.text.spans import Kind, Span
from deidentification.text.tokens import Is
from deidentification.text.words import Words
from deidentification.text.written import alternatives

_QUOTED = r"(?:['’]s)?[^.\n\"“«»]{{0,25}}[\"“«'‘](?P<it>(?:[\w'’-]+ ){{0,2}}[^\W\d_a-zß-öø-ÿ][\w'’-]*)[\"”»'’]"


def names(text: str, language: Language) -> Iterator[Span]:
    """Spans of persons, organisations and towns."""
    yield from organisations(text, language)
    yield from _nicknames(text, language)
    words = Words(language)
    read = tuple(_Reader(text, words).spans())
    persons = [span for span in read if span.kind is Kind.PERSON]
    yield from (*read, *dotted(text, words), *in_capitals(text, words), *initials(text, words))
    yield from entries(text, words, persons)


class _Reader(Judging, Joining):
    """One pass over one text: judge each word by itself, then by its neighbours, then join."""

    def spans(self) -> Iterator[Span]:
        for at, token in enumerate(self.tokens):
            if token.judged is Is.OTHER:
                token.judged = self.judge(at)
        yield from super().spans()


def _nicknames(text: str, language: Language) -> Iterator[Span]:
    """Quoted words soon after ``known as``, ``apodado``, ``nimellä``."""
    for match in re.finditer(rf"(?i:\b{alternatives(language.listed('naming'))}){_QUOTED.format()}", text):
        yield Span(match.start("it"), match.end("it"), Kind.PERSON)
