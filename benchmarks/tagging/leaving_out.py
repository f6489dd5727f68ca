"""What the tagger brings to sets that it was not trained on, beside the rules of before they were read.

Belongs here: leaving out and measuring. Does not belong here: training (``network``).

The rules were changed on the misses of each set, so those of today leave nothing to find there. Each set is therefore measured under
the rules and word lists of the commit at which it was first measured, blind. Only what the tagger's features ask of word lists is of today.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.free_text import NAMES_AND_IDS
from benchmarks.tagging.corpus import ANNOTATED, PARTS
from benchmarks.tagging.network import trained
from deidentification.text.language import LANGUAGES, language
from deidentification.text.measuring import Score, read_annotated, score
from deidentification.text.spans import Kind, Span, disjoint
from deidentification.text.tagger import Tagger
from deidentification.text.weighing import Weighing
from deidentification.text.words import Words

ROOT = Path(__file__).parents[2]
BLIND = {
    "independent": "a420fb2",
    "independent2": "dfc6bd8",
}  # the set, and the rules before anybody had read its misses
LATER = ("short",)  # its author had read them
RULES = """
import json, sys
from deidentification.text.language import language
from deidentification.text.names import names
from deidentification.text.written import written
out = {}
for code, texts in json.load(sys.stdin).items():
    of = language(code)
    out[code] = [[[(s.start, s.end, s.kind) for s in find(text, of)] for find in (written, names)] for text in texts]
json.dump(out, sys.stdout)
"""
Found = tuple[list[Span], list[Span]]


def report() -> Iterator[str]:
    """A line for each set and language: recall of names and numbers and precision, of the rules, and with the tagger."""
    yield "| left out | language | rules: recall | precision | with the tagger: recall | precision |"
    yield "|---|---|---|---|---|---|"
    for part, commit in BLIND.items():
        tagger = Tagger(trained([other for other in PARTS if other not in (part, *LATER)]))
        rules = _rules_of(commit, part)
        for code in LANGUAGES:
            alone, beside = _scores(part, code, rules[code], tagger)
            cells = (f"{of.recall(*NAMES_AND_IDS):.3f} | {of.precision:.3f}" for of in (alone, beside))
            yield f"| {part} | {code} | {' | '.join(cells)} |"


def _rules_of(commit: str, part: str) -> dict[str, list[Found]]:
    """What the rules of a commit found in a set: by written form, and names."""
    texts = {code: [s.text for s in read_annotated(ANNOTATED / part / f"{code}.txt")] for code in LANGUAGES}
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", commit, "deidentification", "records"], cwd=ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "x", "-C", folder], input=archive.stdout, check=True)
        asked = [sys.executable, "-c", RULES]
        done = subprocess.run(asked, cwd=folder, input=json.dumps(texts), capture_output=True, text=True, check=True)
    spans = json.loads(done.stdout)
    return {code: [(_spans(written), _spans(names)) for written, names in spans[code]] for code in LANGUAGES}


def _spans(found: list[tuple[int, int, str]]) -> list[Span]:
    return [Span(start, end, Kind(kind)) for start, end, kind in found]


def _scores(part: str, code: str, rules: list[Found], tagger: Tagger) -> tuple[Score, Score]:
    sentences = read_annotated(ANNOTATED / part / f"{code}.txt")
    alone, beside = {}, {}
    for sentence, (written, names) in zip(sentences, rules, strict=True):
        weighing = Weighing(*tagger.tagged(sentence.text, code), Words(language(code)))
        alone[sentence.text] = disjoint([*written, *names], sentence.text)
        found = [*written, *weighing.kept(names)]
        beside[sentence.text] = disjoint([*found, *weighing.added(found)], sentence.text)
    return score(sentences, alone.__getitem__), score(sentences, beside.__getitem__)
