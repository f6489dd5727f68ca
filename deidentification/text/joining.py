"""Judged words made whole names: neighbours drawn in, repeats found, runs joined.

Belongs here: what follows from words judged to be names. Does not belong here: judging a word (``judging``).
"""

from collections.abc import Iterator

from deidentification.text.spans import Kind, Span
from deidentification.text.tokens import Is, Reading, Token
from deidentification.text.words import PARTICLES, stems

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
        for at, token in enumerate(self.tokens):
            if (
                token.judged is Is.OTHER
                and token.capital
                and not (self.words.eponym(token.word) and self.termed(at))
                and named.intersection(stems(token.word.lower(), self.words.code))
            ):
                token.judged = Is.PERSON

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
            or (near.judged is Is.PLACE and other == at + step and self.placed(other))
            or not self.touch(left, right)
        ):
            return
        if self._belongs(other, step):
            near.judged = Is.PERSON

    def _particle(self, token: Token, beside: Token) -> bool:
        """Whether it is ``de``, ``van``, ``el``; in capitals only beside a name in capitals."""
        return token.word.lower() in PARTICLES and (not token.capital or (token.shout and beside.shout))

    def _belongs(self, other: int, step: int) -> bool:
        words, near = self.words, self.tokens[other]
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
            if words.at_home(near.word, "family") and not self.listed(near, "ordinary"):
                return True
            return words.given(near.word) and (not words.known(near.word) or words.at_home(near.word, "given"))
        return near.word[0].islower() or not words.medical(near.word) or words.name(near.word)

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
        if token.word.lower() not in PARTICLES or gap.strip(" ") or (token.first and token.capital):
            return False
        if token.capital or token.word in _FOREIGN:
            return True
        return before is not None and (
            self.listed(before, "titles", "roles")
            or before.word.lower() in PARTICLES
            or (len(before.word) == 1 and before.capital)
        )
