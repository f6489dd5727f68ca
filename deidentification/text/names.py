"""Persons, organisations and towns in prose, by word lists, what stands before a word, and capitals.

Belongs here: which words of a text are names. Does not belong here: what is known of one word (``words``), or
identifiers with a written form (``written``).

The rule is that of Philter: a capitalised word is a name unless it is known to be something else, because a name left
in a note harms a person, and a lost ordinary word does not.

References
----------
Norgeot et al. (2020). Protected Health Information filter (Philter). npj Digital Medicine 3:57.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from deidentification.text.language import Language
from deidentification.text.organisations import organisations
from deidentification.text.spans import Kind, Span
from deidentification.text.words import PARTICLES, Words, stems
from deidentification.text.written import alternatives

_TOKEN = re.compile(r"[^\W\d_]+(?:\.(?:ra|ssa|na)\b)?(?:['’-][^\W\d_]+)*(?:['’](?=\W|$))?|\d+(?:[.,]\d+)*")
_ELISION = re.compile(r"(?:l|d|un|[a-z]{2,4}l|c|s|qu)['’](?=[^\W\d_])")
_QUOTED = r"(?:['’]s)?[^.\n\"“«»]{{0,25}}[\"“«'‘](?P<it>(?:[\w'’-]+ ){{0,2}}[^\W\d_a-zß-öø-ÿ][\w'’-]*)[\"”»'’]"
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
        return self.word[0].isupper()

    @property
    def shout(self) -> bool:
        return self.word.isupper() and len(self.word) > 1


def names(text: str, language: Language) -> Iterator[Span]:
    """Spans of persons, organisations and towns."""
    yield from organisations(text, language)
    yield from _nicknames(text, language)
    yield from _Reader(text, Words(language)).spans()


def _nicknames(text: str, language: Language) -> Iterator[Span]:
    """Quoted words soon after ``known as``, ``apodado``, ``nimellä``."""
    for match in re.finditer(rf"(?i:\b{alternatives(language.listed('naming'))}){_QUOTED.format()}", text):
        yield Span(match.start("it"), match.end("it"), Kind.PERSON)


class _Reader:
    """One pass over one text: judge each word by itself, then by its neighbours, then join."""

    def __init__(self, text: str, words: Words) -> None:
        self.text, self.words = text, words
        self.tokens = list(_tokens(text))

    def spans(self) -> Iterator[Span]:
        for at, token in enumerate(self.tokens):
            if token.judged is Is.OTHER:
                token.judged = self._judge(at)
        self._spread()
        self._repeat()
        yield from self._joined()

    def _repeat(self) -> None:
        """A capitalised word that is part of a name in one place is one everywhere in the note."""
        judged = (t.word.lower() for t in self.tokens if t.judged is Is.PERSON and t.capital and len(t.word) > 3)
        named = {form for word in judged for form in stems(word, self.words.code) if not self.words.known(form)}
        for token in self.tokens:
            if (
                token.judged is Is.OTHER
                and token.capital
                and named.intersection(stems(token.word.lower(), self.words.code))
            ):
                token.judged = Is.PERSON

    def _judge(self, at: int) -> Is:
        token = self.tokens[at]
        if (
            token.word[0].isdigit()
            or len(token.word) < 2
            or self._unit(at)
            or re.match(r"[A-Z\d]{1,5}-[a-zäö]", token.word)
        ):
            return Is.OTHER
        if self._called_for(at):
            return Is.PERSON
        return self._capitalised(at) if token.capital else self._lower(at)

    def _called_for(self, at: int) -> bool:
        """Whether a title, role or relative before the word says that a name follows."""
        token, before = self.tokens[at], self._before(at)
        if before is None or self._listed(token, "titles", "roles", "relatives", "days"):
            return False
        gap = self.text[before.end : token.start]
        title = self._listed(before, "titles") and gap.strip() in ("", ".") and "\n" not in gap
        if title and (token.capital or self.words.name(token.word) or not self.words.known(token.word)):
            return not self._acronym(token) and (token.capital or self._plausible(token))
        trigger = self._listed(before, "roles", "relatives", "naming") and gap.strip(" \"'“«(,:") == "" and len(gap) < 4
        return (
            trigger
            and token.capital
            and not self._acronym(token)
            and not self.words.medical(token.word)
            and not self.words.eponym(token.word)
        )

    def _plausible(self, token: Token) -> bool:
        """Whether a lower-case word after a title may be a name."""
        if len(token.word) < 4 or self._listed(token, "stop"):
            return False
        return self.words.name(token.word) or not self.words.known(token.word)

    def _capitalised(self, at: int) -> Is:
        token, words = self.tokens[at], self.words
        if self._acronym(token) or self._listed(
            token, "titles", "roles", "relatives", "days", "stop", "record", "national"
        ):
            return Is.OTHER
        if token.word.lower() in words.language.months or words.eponym(token.word):
            return Is.OTHER
        named = words.name(token.word)
        if (
            words.place(token.word)
            and (not words.known(token.word) or not token.first)
            and (self._placed(at) or not named)
        ):
            return Is.PLACE
        if named and (not token.first or self._surely(token)):
            at_home = words.at_home(token.word, "given") or words.at_home(token.word, "family")
            return Is.OTHER if words.drug(token.word) and not at_home else Is.PERSON
        if (
            words.code != "en"
            and not token.first
            and not token.shout
            and len(token.word) > 2
            and not words.medical(token.word)
        ):
            # these languages capitalise little but names inside a sentence; English writes headings and units so
            return Is.OTHER if self._listed(token, "departments") else Is.PLACE if self._placed(at) else Is.PERSON
        if (
            words.known(token.word)
            or (token.first and words.compound(token.word))
            or (token.shout and not named)
            or len(token.word) < 3
        ):
            return Is.OTHER
        return Is.PLACE if self._placed(at) else Is.PERSON

    def _surely(self, token: Token) -> bool:
        """Whether a word is a name even where a sentence begins."""
        words = self.words
        if self._listed(token, "ordinary") or words.term(token.word):
            return False
        if not words.known(token.word):
            return not (words.compound(token.word) and not words.at_home(token.word, "family"))
        return (
            words.at_home(token.word, "given")
            or (words.code == "fi" and words.at_home(token.word, "family"))
            or words.surname_shape(token.word)
        )

    def _lower(self, at: int) -> Is:
        """A lower-case word is a name if it is listed as one and nothing else."""
        token, words = self.tokens[at], self.words
        if len(token.word) < 4 or self._listed(token, "ordinary") or words.medical(token.word):
            return Is.OTHER
        home = words.at_home(token.word, "given") or words.at_home(token.word, "family")
        if not words.known(token.word):
            return Is.PERSON if home or (token.first and words.name(token.word)) else Is.OTHER
        given = words.at_home(token.word, "given") and not self._inflected(token)
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        followed = (
            after is not None
            and not after.capital
            and words.at_home(after.word, "family")
            and not self._listed(after, "ordinary", "stop")
        )
        return Is.PERSON if given and ((followed and words.code == "fi") or token.first) else Is.OTHER

    def _inflected(self, token: Token) -> bool:
        form = self.words.form(token.word, "given")
        return bool(form and form.ending)

    def _unit(self, at: int) -> bool:
        """Whether it is a short word right after a number: Gy, Fr, kg."""
        before, token = self._before(at), self.tokens[at]
        return before is not None and before.word[0].isdigit() and len(token.word) < 4 and token.start - before.end < 2

    def _spread(self) -> None:
        """A word beside a person's name is part of it if capitalised or listed, and is not known for something else."""
        for _ in range(2):
            for at, token in enumerate(self.tokens):
                if token.judged is not Is.PERSON:
                    continue
                for step in (-1, 1):
                    self._pull(at, step)

    def _pull(self, at: int, step: int) -> None:
        other = at + step
        while 0 <= other < len(self.tokens) and self._particle(self.tokens[other], self.tokens[at]):
            other += step
        if not 0 <= other < len(self.tokens):
            return
        left, right = sorted((at, other))
        near = self.tokens[other]
        if (
            near.judged is Is.PERSON
            or (near.judged is Is.PLACE and other == at + step and self._placed(other))
            or not self._touch(left, right)
        ):
            return
        if self._belongs(near, step):
            near.judged = Is.PERSON

    def _particle(self, token: Token, beside: Token) -> bool:
        """Whether it is ``de``, ``van``, ``el``; in capitals only beside a name in capitals."""
        return token.word.lower() in PARTICLES and (not token.capital or (token.shout and beside.shout))

    def _belongs(self, near: Token, step: int) -> bool:
        words = self.words
        if near.word[0].isdigit() or self._listed(
            near, "titles", "roles", "relatives", "days", "stop", "record", "national", "naming"
        ):
            return False
        if not near.capital:
            return (
                len(near.word) > 2 and words.name(near.word) and not words.known(near.word) and near.word.islower()
            ) or (
                len(near.word) > 3
                and words.code == "fi"
                and words.at_home(near.word, "family" if step > 0 else "given")
                and not self._listed(near, "ordinary")
            )
        if len(near.word) == 1:
            return True
        if self._acronym(near) and not words.name(near.word):
            return False
        if step < 0 and near.first:
            if near.shout and len(near.word) > 3 and (words.name(near.word) or not words.known(near.word)):
                return True
            if words.at_home(near.word, "family") and not self._listed(near, "ordinary"):
                return True
            return words.given(near.word) and (not words.known(near.word) or words.at_home(near.word, "given"))
        return not (words.medical(near.word) and not words.name(near.word))

    def _joined(self) -> Iterator[Span]:
        """Spans of neighbouring words of one kind."""
        run: list[int] = []
        for at, token in enumerate(self.tokens):
            if token.judged is Is.OTHER:
                continue
            if run and token.judged is self.tokens[run[-1]].judged and self._touch(run[-1], at):
                run.append(at)
                continue
            yield from self._span(run)
            run = [at]
        yield from self._span(run)

    def _span(self, run: list[int]) -> Iterator[Span]:
        if run:
            first, last = self.tokens[run[0]], self.tokens[run[-1]]
            yield Span(first.start, last.end, Kind.PERSON if first.judged is Is.PERSON else Kind.LOCATION)

    def _touch(self, left: int, right: int) -> bool:
        """Whether only spaces, dots of initials, a comma of a list form, or particles stand between two words."""
        between = self.tokens[left + 1 : right]
        if any(token.word.lower() not in PARTICLES for token in between):
            return False
        one, two = self.tokens[left], self.tokens[right]
        gap = self.text[one.end : two.start]
        for token in between:
            gap = gap.replace(token.word, "", 1)
        gap = gap.replace("'", "").replace("’", "")
        if gap.strip(" ") == "":
            return bool(gap) or bool(between)
        if gap.strip(" ") == ".":
            return len(one.word) == 1 and one.capital
        return (
            gap.strip(" ") == ","
            and one.capital
            and two.capital
            and (one.shout or one.first)
            and self.words.given(two.word)
        )

    def _placed(self, at: int) -> bool:
        """Whether a preposition of place or a Finnish case of place says that this is a town."""
        if self.words.code == "fi":
            form = self.words.form(self.tokens[at].word, "places")
            return bool(form and form.ending[:2] in ("ss", "st", "ll", "lt", "hi", "ha", "ho", "hu")) or bool(
                re.search(r"(?:ss[aä]|st[aä]|ll[aä])$", self.tokens[at].word)
            )
        before = self._before(at)
        return before is not None and self._listed(before, "place_before") and not before.capital

    def _acronym(self, token: Token) -> bool:
        return (
            token.shout
            and len(token.word) <= 5
            and not (len(token.word) > 3 and self.words.name(token.word) and not self.words.known(token.word))
        )

    def _before(self, at: int) -> Token | None:
        return self.tokens[at - 1] if at else None

    def _listed(self, token: Token, *lists: str) -> bool:
        return any(self.words.listed(token.word, what) for what in lists)


def _tokens(text: str) -> Iterator[Token]:
    last = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if elided := _ELISION.match(text, start, end):
            start = elided.end()
        gap = text[last:start]
        initial = last > 1 and gap == ". " and text[last - 1].isupper() and not text[last - 2].isalnum()
        first = last == 0 or (bool(_LIMITS.search(gap)) and not initial)
        yield Token(text[start:end].rstrip("'’"), start, start + len(text[start:end].rstrip("'’")), first)
        last = end
