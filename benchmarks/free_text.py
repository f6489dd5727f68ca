"""Recall, precision and speed of the scrubber on the annotated sentences, with Presidio's own recognisers beside it.

    python -m benchmarks.free_text [python of an environment with presidio-analyzer]

Writes ``docs/benchmarks/free_text.md``. Presidio runs with a blank spaCy pipeline (no model), in its own environment.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from deidentification.text import scrub
from deidentification.text.language import LANGUAGES, language
from deidentification.text.measuring import Annotated, Score, read_annotated, score
from deidentification.text.scrubbing import find
from deidentification.text.spans import Kind, Span

ROOT = Path(__file__).parents[1]
ANNOTATED = ROOT / "tests/deidentification/text/annotated"
PARTS = ("development", "held_out", "fresh")
NAMES_AND_IDS = (Kind.PERSON, Kind.NATIONAL_ID, Kind.MRN, Kind.PHONE, Kind.EMAIL, Kind.IBAN, Kind.URL)
FIRST = "First measured on `held_out`: names and numbers en .969, fi .969, es .968, it .968, pt .871; precision .980, .922, .979, .939, .977."
PEER = """
import json, sys
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
import spacy
class Blank(SpacyNlpEngine):
    def __init__(self, code):
        super().__init__(models=[{"lang_code": code, "model_name": code}])
        self.nlp = {code: spacy.blank(code)}
    def load(self): pass
out = {}
for code, texts in json.load(sys.stdin).items():
    registry = RecognizerRegistry(supported_languages=[code])
    registry.load_predefined_recognizers(languages=[code])
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(code), supported_languages=[code])
    out[code] = [[(r.start, r.end) for r in engine.analyze(text=t, language=code)] for t in texts]
json.dump(out, sys.stdout)
"""


def main() -> None:
    peer = sys.argv[1] if len(sys.argv) > 1 else None
    sets = {(part, code): read_annotated(ANNOTATED / part / f"{code}.txt") for part in PARTS for code in LANGUAGES}
    found = {pair: _ours(sentences, pair[1]) for pair, sentences in sets.items()}
    others = _presidio(peer, sets) if peer else {}
    lines = [
        "# Free text: recall and precision",
        "",
        *_page(sets, found, others),
        "",
        *_kinds(found),
        "",
        *_speed(sets),
    ]
    (ROOT / "docs/benchmarks/free_text.md").write_text("\n".join(lines) + "\n")


def _ours(sentences: list[Annotated], code: str) -> Score:
    spoken = language(code)
    return score(sentences, lambda text: find(text, spoken))


def _presidio(python: str, sets: dict[tuple[str, str], list[Annotated]]) -> dict[tuple[str, str], Score]:
    scores: dict[tuple[str, str], Score] = {}
    for pair, sentences in sets.items():
        asked = json.dumps({pair[1]: [s.text for s in sentences]})
        done = subprocess.run([python, "-c", PEER], input=asked, capture_output=True, text=True, check=True)
        spans = {
            s.text: [Span(a, b, Kind.MRN) for a, b in made]
            for s, made in zip(sentences, json.loads(done.stdout)[pair[1]], strict=True)
        }
        scores[pair] = score(sentences, spans.__getitem__)
    return scores


def _page(
    sets: dict[tuple[str, str], list[Annotated]],
    found: dict[tuple[str, str], Score],
    others: dict[tuple[str, str], Score],
) -> Iterator[str]:
    yield "Sentences, rules and word lists have one author, so these figures say that the rules do what they were made for, not how"
    yield "they do on a hospital's notes: measure there (`deidentification.text.measuring`). An identifier counts as found if every letter"
    yield "and digit is covered. `development` was looked at, `held_out` was not, `fresh` was written after the rules' last change but small"
    yield "ones. " + FIRST
    yield "Rules were changed after that (without looking at the misses), so `held_out` below is no longer a first measurement."
    yield ""
    yield "| set | language | sentences | identifiers | recall, names and numbers | recall, all | precision | Presidio, no model: recall | precision |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for (part, code), ours in found.items():
        peer = others.get((part, code))
        beside = f"{peer.recall():.3f} | {peer.precision:.3f}" if peer else "- | -"
        yield (
            f"| {part} | {code} | {len(sets[part, code])} | {sum(ours.marked.values())} | {ours.recall(*NAMES_AND_IDS):.3f} | {ours.recall():.3f} | "
            f"{ours.precision:.3f} | {beside} |"
        )


def _kinds(found: dict[tuple[str, str], Score]) -> Iterator[str]:
    yield "Found, of marked, by kind, `held_out` and `fresh` together:"
    yield ""
    yield "| kind | " + " | ".join(LANGUAGES) + " |"
    yield "|---|" + "---|" * len(LANGUAGES)
    for kind in Kind:
        cells = [
            f"{sum(found[p, code].found[kind] for p in PARTS[1:])} / {sum(found[p, code].marked[kind] for p in PARTS[1:])}"
            for code in LANGUAGES
        ]
        yield f"| {kind} | " + " | ".join(cells) + " |"


def _speed(sets: dict[tuple[str, str], list[Annotated]]) -> Iterator[str]:
    yield "Speed on one core, notes of the 42 held-out sentences each, 20 notes, dictionaries open and words seen before:"
    yield ""
    yield "| language | notes per second | characters per note |"
    yield "|---|---|---|"
    for code in LANGUAGES:
        note = "\n".join(s.text for s in sets["held_out", code])
        scrub(note, language=code, patient="a", key=bytes(16))
        start = time.process_time()
        for patient in range(20):
            scrub(note, language=code, patient=str(patient), key=bytes(16))
        yield f"| {code} | {20 / (time.process_time() - start):.1f} | {len(note)} |"


if __name__ == "__main__":
    main()
