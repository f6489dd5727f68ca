"""Whether a note is in none of the languages that are covered.

Belongs here: telling such notes, so that somebody looks at them. Does not belong here: choosing among the languages (``detection``).
"""

import re

from deidentification.text.language import LANGUAGES, language
from deidentification.text.words import Words

_SMALL = re.compile(r"\b[^\W\d_A-ZÀ-Þ]{2,}\b")
_LEAST = 10  # words; fewer tell nothing
_KNOWN = 0.4  # of the words, in the language that knows most of them


def is_foreign(text: str) -> bool:
    """Whether most words in small letters are in the lists of none of the languages.

    German, Dutch, Polish and the Nordic languages are told; French, of which English has many words, and Estonian, of which
    Finnish has, often are not. Of our 1,390 annotated notes with ten such words one is told wrongly.
    """
    small = _SMALL.findall(text)
    return len(small) >= _LEAST and all(_known(small, code) < _KNOWN * len(small) for code in LANGUAGES)


def _known(small: list[str], code: str) -> int:
    spoken, words = language(code), Words(language(code))
    listed = spoken.listed("stop") | spoken.listed("common")
    return sum(word in listed or words.known(word) or words.medical(word) for word in small)
