"""Which of the five languages a note is in, also a short one.

Belongs here: weighing a note's words. Does not belong here: the lists that are weighed (``language``, ``dictionary``).

References
----------
Grefenstette (1995). Comparing two language identification schemes. JADT: short words tell a language best.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from deidentification.text.dictionary import known_word
from deidentification.text.language import LANGUAGES, language
from deidentification.text.words import Words

_WORD = re.compile(r"[^\W\d_]+")
_CLEAR = 3
_STOP, _LISTED, _KNOWN, _SHAPE = 3, 2, 1, 1
_LISTS = ("relatives", "roles", "titles", "record", "naming", "days", "age")
_SHAPES = {
    "en": re.compile(r"(?:ing|tion|ness|ough|ight|wh\w+|th\w+)$"),
    "fi": re.compile(r"(?:\w*[äö]\w*|\w*(?:aa|ii|uu|yy)\w*|\w+(?:ss[aä]|st[aä]|ll[aä]|lle|nen|ksi|een|oon))$"),
    "es": re.compile(r"(?:\w*ñ\w*|\w+(?:ción|dad|ico|illo|ía|ó|és))$"),
    "it": re.compile(r"(?:\w*[òù]\w*|\w+(?:zione|ità|ato|ata|gli|cch\w|zz\w))$"),
    "pt": re.compile(r"(?:\w*[ãõâêô]\w*|\w+(?:ção|dade|ões|eira|inho|lh\w))$"),
}


def detect(text: str, usual: str | None = None) -> str:
    """The language that the words of a text speak for.

    Parameters
    ----------
    text : str
    usual : str, optional
        The language of the notes around it: taken if no language leads clearly.
    """
    (first, most), (_, second) = _points(text).most_common(2)
    return first if usual is None or most - second >= _CLEAR else usual


def majority(texts: Iterable[str]) -> str:
    """The language of most notes, of those that are clear if any is; English if there is none."""
    votes: Counter[str] = Counter()
    for text in texts:
        (first, most), (_, second) = _points(text).most_common(2)
        votes[first] += 1 if most - second < _CLEAR else 1_000_000
    return votes.most_common(1)[0][0] if votes else LANGUAGES[0]


def _points(text: str) -> Counter[str]:
    """Points of each language, in the order of ``LANGUAGES`` where they are equal."""
    words = _WORD.findall(text)
    return Counter({code: sum(_weight(word, code, at == 0) for at, word in enumerate(words)) for code in LANGUAGES})


@lru_cache(maxsize=200_000)
def _weight(word: str, code: str, first: bool) -> int:
    """What a word says for a language; capitals inside a note are mostly names, which are at home anywhere."""
    low = word.lower()
    if low in language(code).listed("stop") | language(code).listed("common"):
        return _STOP
    if len(low) > 1 and _listed(low, code):
        return _LISTED
    if len(low) < 3 or (word != low and not first):
        return 0
    return _KNOWN * known_word(low, code) + _SHAPE * (_SHAPES[code].match(low) is not None)


def _listed(low: str, code: str) -> bool:
    words = Words(language(code))
    return low in words.language.months or any(words.listed(low, what) for what in _LISTS)
