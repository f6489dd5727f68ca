"""Judged words made whole names: neighbours drawn in, repeats found, runs joined.

Belongs here: what follows from words judged to be names. Does not belong here: judging a word (``judging``).
"""

import re
from collections.abc import Iterator

from deidentification.text.spans import Kind, Span
from deidentification.text.tokens import Is, Reading, Token
from deidentification.text.words import PARTICLES, stems

_PARTICLES = 4  # at most, between two words of a name
_ENTRY = re.compile(r" ?(?:[–—→/,;>)]|->|=>|- |$|\n)")
_FOREIGN = frozenset({"von", "van", "zu", "zur", "af", "av", "ter", "ten", "bin", "ibn", "ben", "der", "den"})


class Joining(Reading):
    """Names from words that were judged one by one."""

    def spans(self) -> Iterator[Span]:
        """Spans of persons and towns."""
        self._spread()
        self._repeat()
        yield from self._joined()

    def _repeat(self) -> None:
        """A capitalised word that is part of a name in one place is one everywhere in the note."""
        judged = (t.word.lower() for t in self.tokens if t.judged is Is.PERSON and t.capital and len(t.word) > 3)
        named = {form for word in judged for form in stems(word, self.words.code) if not self.words.known(form)}
        surnames, said = self._surnames(), frozenset(t.word for t in self.tokens if t.judged is Is.PERSON and t.capital)
        for at, token in enumerate(self.tokens):
            if (
                token.judged is Is.OTHER
                and token.capital
                and not (self.words.eponym(token.word) and self.termed(at))
                and (
                    named.intersection(stems(token.word.lower(), self.words.code))
                    or surnames.intersection(stems(token.word.lower(), self.words.code)[1:])
                    or (token.word in said and at + 1 < len(self.tokens) and self.listed(self.tokens[at + 1], "acts"))
                )
            ):
                token.judged = Is.PERSON

    def _surnames(self) -> frozenset[str]:
        """Finnish family names after given ones, also ordinary words: *Veikko Karhu ... Karhun*, with another ending."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False) if self.words.code == "fi" else ()
        return frozenset(
            two.word.lower() for one, two in pairs
            if one.judged is two.judged is Is.PERSON and one.end + 1 == two.start and self.words.given(one.word)
        )  # fmt: skip

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
        while (
            0 <= other < len(self.tokens)
            and abs(other - at) <= _PARTICLES
            and self._particle(other, self.tokens[at], step)
        ):
            other += step
        if not 0 <= other < len(self.tokens):
            return
        left, right = sorted((at, other))
        near = self.tokens[other]
        if (
            near.judged is Is.PERSON
            or (near.judged is Is.PLACE and other == at + step and self.placed(other))
            or not self.touch(left, right)
        ):
            return
        if self._belongs(other, step):
            near.judged = Is.PERSON

    def _particle(self, at: int, beside: Token, step: int) -> bool:
        """Whether it is ``de``, ``van``, ``el``; in capitals only beside a name in capitals or with a capitalised word after it."""
        token, after = self.tokens[at], self.tokens[at + 1 : at + 2]
        return token.word.lower() in PARTICLES and (
            not token.capital
            or (token.shout and beside.shout)
            or (step > 0 and not token.first and bool(after) and after[0].capital and self.touch(at, at + 1))
        )

    def _belongs(self, other: int, step: int) -> bool:
        words, near = self.words, self.tokens[other]
        if self._initial(near) or self._last_of_three(other, step):
            return True
        if near.word[0].isdigit() or self.listed(
            near, "titles", "roles", "relatives", "days", "stop", "record", "national", "naming"
        ):
            return False
        if not near.capital:
            if step > 0 and self._last_of_lower(other):
                return True
            return (
                len(near.word) > 2 and words.name(near.word) and not words.known(near.word) and near.word.islower()
            ) or (
                len(near.word) > 3
                and words.code == "fi"
                and words.at_home(near.word, "family" if step > 0 else "given")
                and not self.listed(near, "ordinary")
            )
        if len(near.word) == 1:
            return True
        if self.listed(near, "shortened"):
            return True
        if (
            (self.acronym(near) and not words.name(near.word))
            or (near.shout and len(near.word) < 3)
            or self.termed(other)
        ):
            return False
        if step < 0 and near.first:
            if near.shout and len(near.word) > 3 and (words.name(near.word) or not words.known(near.word)):
                return True
            return self._opens(other)
        return near.word[0].islower() or not words.clinical(near.word) or words.name(near.word)

    def _opens(self, at: int) -> bool:
        """Whether a word that a sentence begins with belongs to the name after it: *Li Xiuying needs*, *Gamba Ezio ->*."""
        words, near = self.words, self.tokens[at]
        if not words.known(near.word):
            return words.name(near.word) or not near.shout
        if self._entry(at, acting=True) and not self.listed(near, "common", "acts") and not words.clinical(near.word):
            return True
        if words.name(near.word) and (self._entry(at) or not self.listed(near, "ordinary", "common", "acts")):
            return words.given(near.word) or words.at_home(near.word, "family") or len(near.word) < 4 or self._entry(at)
        return False

    def _entry(self, at: int, *, acting: bool = False) -> bool:
        """Whether a name of two to four words begins here that a dash, arrow, slash or comma ends, as an entry of a list, or
        that does what patients do: *Bill Frank reports*."""
        last = at + 1
        while last < min(at + 4, len(self.tokens)) and self.tokens[last].judged is Is.PERSON:
            last += 1
        if last == at + 1:
            return False
        if last < len(self.tokens) and self.listed(self.tokens[last], "acts"):
            return True
        return not acting and _ENTRY.match(self.text, self.tokens[last - 1].end) is not None

    def _initial(self, token: Token) -> bool:
        """Whether it is one capital letter with a dot: *C. Valadares*."""
        return len(token.word) == 1 and token.capital and self.text[token.end : token.end + 1] == "."

    def _last_of_three(self, at: int, step: int) -> bool:
        """Whether a capitalised small word ends a name of three: *Thanh Huong Le:*."""
        near, two = self.tokens[at], self.tokens[max(0, at - 2) : at]
        return (
            step > 0
            and near.capital
            and not near.first
            and not near.shout
            and len(two) == 2
            and all(token.judged is Is.PERSON for token in two)
            and self.words.name(near.word)
            and self.text[near.end : near.end + 1] in (",", ":", ";", ")", ".", "")
        )

    def _last_of_lower(self, at: int) -> bool:
        """Whether a word that is nothing else ends a name in lower case: *mohamed abdi warsame,*."""
        near, before = self.tokens[at], self.tokens[at - 1]
        return (
            len(near.word) > 4
            and not before.capital
            and self.text[near.end : near.end + 1] in (",", ")")
            and not self.words.known(near.word)
            and not self.words.medical(near.word)
        )

    def _joined(self) -> Iterator[Span]:
        """Spans of neighbouring words of one kind."""
        run: list[int] = []
        for at, token in enumerate(self.tokens):
            if token.judged is Is.OTHER:
                continue
            if run and token.judged is self.tokens[run[-1]].judged and self.touch(run[-1], at):
                run.append(at)
                continue
            yield from self._span(run)
            run = [at]
        yield from self._span(run)

    def _span(self, run: list[int]) -> Iterator[Span]:
        if run:
            first, last = self.tokens[run[0]], self.tokens[run[-1]]
            yield Span(self._begin(run[0]), last.end, Kind.PERSON if first.judged is Is.PERSON else Kind.LOCATION)

    def _begin(self, at: int) -> int:
        """Where a name begins with its particles: capitalised ones, *von*, and any after a title or an initial."""
        begin = self.tokens[at].start
        if self.tokens[at].judged is not Is.PERSON:
            return begin
        while at and self._leads(at):
            at -= 1
            begin = self.tokens[at].start
        return begin

    def _leads(self, at: int) -> bool:
        """Whether the word before is a particle or an initial of this name."""
        token, before = self.tokens[at - 1], self.before(at - 1)
        gap = self.text[token.end : self.tokens[at].start]
        if len(token.word) == 1 and token.capital:
            return gap.strip(" ") in ("", ".")
        if (
            token.word.lower() not in PARTICLES
            or gap.strip(" ")
            or (token.first and token.capital and not (token.shout and self.tokens[at].shout))
        ):
            return False
        if token.capital or token.word in _FOREIGN:
            return True
        return before is not None and (
            self.listed(before, "titles", "roles")
            or before.word.lower() in PARTICLES
            or (len(before.word) == 1 and before.capital)
        )
