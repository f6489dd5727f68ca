"""Recall and precision of a scrubber on annotated text.

Belongs here: reading annotations and counting what was found. Does not belong here: finding. A hospital measures on its
own notes with it before it relies on the rules.

An identifier counts as found if every letter and digit of it lies in spans, of whatever kind; a span counts as right if
more than half of it lies in identifiers. So a half-covered name is a miss, and an ordinary word taken along with a name is
no error while most is name.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deidentification.text.spans import Kind, Span

_MARK = re.compile(r"\[\[(?P<kind>[A-Z_]+):(?P<text>[^\]]*)\]\]")
NAMES_AND_IDS = (Kind.PERSON, Kind.NATIONAL_ID, Kind.MRN, Kind.PHONE, Kind.EMAIL, Kind.IBAN, Kind.URL)
Finder = Callable[[str], Sequence[Span]]


@dataclass(frozen=True)
class Annotated:
    """A sentence and the identifiers that a person marked in it."""

    text: str
    spans: tuple[Span, ...]


@dataclass
class Score:
    """Counts per kind of identifier: marked, found whole, found as the same kind; and of spans: made, right."""

    marked: Counter[Kind] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    same_kind: Counter[Kind] = field(default_factory=Counter)
    made: int = 0
    right: int = 0

    def __iadd__(self, other: "Score") -> "Score":
        self.marked.update(other.marked)
        self.found.update(other.found)
        self.same_kind.update(other.same_kind)
        self.made, self.right = self.made + other.made, self.right + other.right
        return self

    def recall(self, *kinds: Kind) -> float:
        """Share of marked identifiers of these kinds (all, if none is named) that were found whole."""
        wanted = kinds or tuple(Kind)
        return sum(self.found[k] for k in wanted) / max(1, sum(self.marked[k] for k in wanted))

    @property
    def precision(self) -> float:
        """Share of spans that mostly lie in identifiers."""
        return self.right / max(1, self.made)


def read_annotated(path: Path) -> list[Annotated]:
    """Sentences of a file, one a line, with identifiers written ``[[KIND:text]]``; ``#`` begins a comment line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [annotated(line) for line in lines if line.strip() and not line.startswith("#")]


def annotated(line: str) -> Annotated:
    """One sentence with its marks taken out."""
    text, spans, end = "", [], 0
    for mark in _MARK.finditer(line):
        text += line[end : mark.start()]
        spans.append(Span(len(text), len(text) + len(mark["text"]), Kind(mark["kind"])))
        text += mark["text"]
        end = mark.end()
    return Annotated(text + line[end:], tuple(spans))


def score(sentences: Iterable[Annotated], finder: Finder) -> Score:
    """Count what ``finder`` finds in annotated sentences."""
    result = Score()
    for sentence in sentences:
        made = finder(sentence.text)
        for span in sentence.spans:
            result.marked[span.kind] += 1
            result.found[span.kind] += not missed(sentence.text, span, made)
            result.same_kind[span.kind] += any(m.kind is span.kind and _shared(m, span) for m in made)
        result.made += len(made)
        result.right += sum(_shares(m, sentence.spans) > 0.5 for m in made)
    return result


def missed(text: str, span: Span, made: Sequence[Span]) -> bool:
    """Whether a letter or digit of an identifier is in no span."""
    left = (at for at in range(span.start, span.end) if text[at].isalnum())
    return any(not any(m.start <= at < m.end for m in made) for at in left)


def _shared(one: Span, other: Span) -> int:
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def _shares(span: Span, others: Sequence[Span]) -> float:
    return sum(_shared(span, other) for other in others) / (span.end - span.start)
