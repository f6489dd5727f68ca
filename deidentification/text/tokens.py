"""Words of a text, where they stand and what they were judged to be.

Belongs here: taking a text apart, and questions about a word and its neighbours that all rules ask. Does not belong here: the
rules (``judging``, ``joining``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from deidentification.text.words import PARTICLES, Words

_TOKEN = re.compile(r"[^\W\d_ªº]+(?:\.(?:ra|ssa|na)\b)?(?:['’-][^\W\d_ªº]+)*(?:['’](?=\W|$))?|\d+(?:[.,]\d+)*")
_ELISION = re.compile(
    r"(?:l|d|un|[a-z]{2,4}l|c|s|qu)['’](?=[^\W\d_])|(?:L|D|Un|[A-Z][a-z]{1,3}l|Qu)['’](?=[a-zß-öø-ÿ])"
)
_ARTICLE = re.compile(r"(?:a[lnsdrtz]|e[lr]|ul|ash?|abu|ibn|bin|d|o|n)['’-][^\W\d_a-zß-öø-ÿ]")  # al-Khatib, d'Agostino
_DOTTED = (". ", ".", ".ª ", ".º ", "ª ", ".a ")  # of an initial: M. Korhonen, M.ª José
_LETTERED = re.compile(  # a letter that is no initial: vitamin D. Next, arm B. Kit
    r"\b(?:arm|vitamin|hepatitis|gra[du][eo]?|gro?up\w*|type|class|stage|frankel|child|part|level|vitamina|epatite|hepatit\w+|tipo|grau|grupo|"
    r"gruppo|clas+e|classe|brazo|braço|braccio|haara\w*|vitamiini|tyyp\w+|ryhmä\w*|luok\w+|asteen?|parte) [A-Z]$",
    re.IGNORECASE,
)
_LONGEST = 8  # words and particles of a family name
_LIMITS = re.compile(r"[.!?:;•\n\t]")


class Is(Enum):
    """What a word was judged to be."""

    PERSON = "person"
    PLACE = "place"
    OTHER = "other"


@dataclass
class Token:
    """A word of the text, where it stands, whether it begins a sentence, and what it was judged to be."""

    word: str
    start: int
    end: int
    first: bool
    judged: Is = Is.OTHER

    @property
    def capital(self) -> bool:
        return self.word[0].isupper() or _ARTICLE.match(self.word) is not None

    @property
    def shout(self) -> bool:
        return self.word.isupper() and len(self.word) > 1


class Reading:
    """A text taken apart, with what is known about words of its language."""

    def __init__(self, text: str, words: Words) -> None:
        self.text, self.words = text, words
        self.tokens = list(_tokens(text))

    def before(self, at: int) -> Token | None:
        return self.tokens[at - 1] if at else None

    def listed(self, token: Token, *lists: str) -> bool:
        return any(self.words.listed(token.word, what) for what in lists)

    def acronym(self, token: Token) -> bool:
        return (
            token.shout
            and len(token.word) <= 5
            and not (len(token.word) > 3 and self.words.name(token.word) and not self.words.known(token.word))
        )

    def termed(self, at: int) -> bool:
        """Whether the words around say that it names a test, score, sign or device: *escala de Madrid*, *Boston test*."""
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if after is not None and self._near(at, at + 1) and self.listed(after, "of_terms"):
            return True
        back = at - 1
        while (
            back >= 0
            and self.words.code != "en"
            and self.tokens[back].word.lower() in ("de", "di", "do", "da", "del", "y", "e")
        ):
            back -= 1
        return (
            back >= 0
            and self.words.code in ("es", "it", "pt")
            and self._near(back, at)
            and self.listed(self.tokens[back], "of_terms")
        )

    def _near(self, left: int, right: int) -> bool:
        """Whether only spaces and small words stand between two words."""
        return re.search(r"[^\w ]|\d", self.text[self.tokens[left].end : self.tokens[right].start]) is None

    def placed(self, at: int) -> bool:
        """Whether a preposition of place or a Finnish case of place says that this is a town."""
        if self.words.code == "fi":
            form = self.words.form(self.tokens[at].word, "places")
            return bool(form and form.ending[:2] in ("ss", "st", "ll", "lt", "hi", "ha", "ho", "hu")) or bool(
                re.search(r"(?:ss[aä]|st[aä]|ll[aä])$", self.tokens[at].word)
            )
        before = self.before(at)
        return before is not None and self.listed(before, "place_before") and (not before.capital or before.first)

    def touch(self, left: int, right: int) -> bool:
        """Whether only spaces, dots of initials, a comma of a list form, or particles stand between two words."""
        between = self.tokens[left + 1 : right]
        if any(token.word.lower() not in PARTICLES for token in between):
            return False
        one, two = self.tokens[left], self.tokens[right]
        gap = self.text[one.end : two.start]
        for token in between:
            gap = gap.replace(token.word, "", 1)
        gap = re.sub(r"\b[dl]['’]|['’]", "", gap)  # Joaquim d'Almeida
        if gap.strip(" ") == "":
            return bool(gap) or bool(between)
        if gap.strip(" ") in (".", ".ª", ".º", "ª"):
            return (len(one.word) == 1 and one.capital) or self.listed(one, "shortened")
        return (
            gap.strip(" ") == ","
            and one.capital
            and two.capital
            and (one.shout or self.tokens[self.begins(left)].first)
            and (
                self.words.given(two.word)
                or (len(two.word) == 1 and one.shout)
                or (one.shout and two.judged is Is.PERSON and not self.words.known(one.word))
            )
        )

    def begins(self, at: int) -> int:
        """Where the run of capitalised words and particles begins that ends here: *Iglesias* of *Iglesias de la Torre*."""
        last = at
        while at and last - at < _LONGEST and not self.tokens[at].first:
            before = self.tokens[at - 1]
            gap = self.text[before.end : self.tokens[at].start]
            if gap != " " or not (before.capital or before.word in PARTICLES):
                break
            at -= 1
        return at


def _tokens(text: str) -> Iterator[Token]:
    last = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if elided := _ELISION.match(text, start, end):
            start = elided.end()
        gap = text[last:start]
        initial = last > 0 and gap in _DOTTED and text[last - 1].isupper() and not text[: last - 1][-1:].isalnum()
        initial = initial and _LETTERED.search(text, max(0, last - 20), last) is None
        first = last == 0 or (bool(_LIMITS.search(gap)) and not initial)
        yield Token(text[start:end].rstrip("'’"), start, start + len(text[start:end].rstrip("'’")), first)
        last = end
