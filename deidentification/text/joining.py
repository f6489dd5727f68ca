"""Judged words made whole names: neighbours drawn in, repeats found, runs joined.

Belongs here: what follows from words judged to be names. Does not belong here: judging a word (``judging``).
"""

from collections.abc import Iterator

from deidentification.text.spans import Kind, Span
from deidentification.text.tokens import Is, Reading, Token
from deidentification.text.words import PARTICLES, stems


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
        for token in self.tokens:
            if (
                token.judged is Is.OTHER
                and token.capital
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
        if self._belongs(near, step):
            near.judged = Is.PERSON

    def _particle(self, token: Token, beside: Token) -> bool:
        """Whether it is ``de``, ``van``, ``el``; in capitals only beside a name in capitals."""
        return token.word.lower() in PARTICLES and (not token.capital or (token.shout and beside.shout))

    def _belongs(self, near: Token, step: int) -> bool:
        words = self.words
        if near.word[0].isdigit() or self.listed(
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
                and not self.listed(near, "ordinary")
            )
        if len(near.word) == 1:
            return True
        if self.acronym(near) and not words.name(near.word):
            return False
        if step < 0 and near.first:
            if near.shout and len(near.word) > 3 and (words.name(near.word) or not words.known(near.word)):
                return True
            if words.at_home(near.word, "family") and not self.listed(near, "ordinary"):
                return True
            return words.given(near.word) and (not words.known(near.word) or words.at_home(near.word, "given"))
        return not (words.medical(near.word) and not words.name(near.word))

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
            yield Span(first.start, last.end, Kind.PERSON if first.judged is Is.PERSON else Kind.LOCATION)
