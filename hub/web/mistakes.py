"""Error sentences in the reader's language.

Belongs here: finding the translation of a sentence that was raised in English. Does not belong here: the sentences, which the
rooms write, and the API, which answers in English.

A sentence is known again by its pattern, with ``{}`` for each value, in ``finnish/errors.yaml``; so no rule of a room knows
that there are languages.
"""

import re
from collections.abc import Callable
from functools import cache

import yaml

from hub.web.language import FINNISH, finnish

HOLE = "{}"
SEVERAL = re.compile(r"(, |(?<=\.) )")  # roles with commas between, or whole sentences
Pattern = tuple[re.Pattern[str], str]


@cache
def sentences() -> dict[str, str]:
    """English to Finnish sentences."""
    return yaml.safe_load((FINNISH / "errors.yaml").read_text(encoding="utf-8"))


@cache
def patterns() -> list[Pattern]:
    """Sentences with values, the longest first: a more special one must not be hidden by a general one."""
    holed = sorted((english for english in sentences() if HOLE in english), key=len, reverse=True)
    return [(re.compile("(.*?)".join(map(re.escape, one.split(HOLE))), re.DOTALL), sentences()[one]) for one in holed]


def told(language: str) -> Callable[[str], str]:
    """From an English sentence to one in ``language``; what is unknown stays English. Answers plain text, never HTML."""
    return _in_finnish if language == "fi" else str


def _in_finnish(sentence: str) -> str:
    sentence = str(sentence)
    if (known := sentences().get(sentence)) is not None:
        return known
    for pattern, translated in patterns():
        if found := pattern.fullmatch(sentence):
            return translated.format(*(_value(value) for value in found.groups()))
    return finnish().get(sentence, sentence)


def _value(value: str) -> str:
    """A state, role or reason in Finnish; of several, each; other values as they are."""
    words = finnish()
    if (known := words.get(value) or words.get(value.strip("'").replace("_", " "))) is not None:
        return known
    return "".join(words.get(one, one) for one in SEVERAL.split(value))
