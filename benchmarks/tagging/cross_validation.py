"""What the tagger brings to notes that it was not trained on, beside rules whose author has not read them.

Belongs here: recall and precision by cross-validation over the notes. Does not belong here: the blind sets
(``benchmarks.free_text``).
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from benchmarks.tagging.corpus import FOLDS, fold, rules
from benchmarks.tagging.network import trained
from deidentification.text.language import LANGUAGES, language
from deidentification.text.measuring import NAMES_AND_IDS, Score, score
from deidentification.text.scrubbing import weighed
from deidentification.text.spans import Span, disjoint
from deidentification.text.tagger import Tagger


def report() -> Iterator[str]:
    """A line for each language: recall of names and numbers and precision, of the rules, and with the tagger."""
    alone, beside = defaultdict[str, Score](Score), defaultdict[str, Score](Score)
    for number in range(FOLDS):
        tagger = Tagger(trained(number))
        for code in LANGUAGES:
            notes = fold(code, number)
            alone[code] += score(notes, partial(_ruled, code=code))
            beside[code] += score(notes, partial(weighed, spoken=language(code), tagger=tagger))
    yield "| language | identifiers | rules: recall | precision | with the tagger: recall | precision |"
    yield "|---|---|---|---|---|---|"
    for code in LANGUAGES:
        cells = (f"{of[code].recall(*NAMES_AND_IDS):.3f} | {of[code].precision:.3f}" for of in (alone, beside))
        yield f"| {code} | {sum(alone[code].marked.values())} | {' | '.join(cells)} |"


def _ruled(text: str, code: str) -> tuple[Span, ...]:
    return disjoint(rules(text, code), text)
