"""The tagger's training: sentences stay truly annotated, learning is repeatable, and numpy runs what torch has learned."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from benchmarks.tagging import corpus, cross_validation
from benchmarks.tagging.corpus import FOLDS, NOTES, PARTS, example, fold, rules
from benchmarks.tagging.draws import Draws
from benchmarks.tagging.network import Network, _tensors, learn
from benchmarks.tagging.slots import filled, lines
from benchmarks.tagging.variation import varied
from deidentification.text import weighing
from deidentification.text.features import Sort, pieces, verdicts
from deidentification.text.language import LANGUAGES
from deidentification.text.measuring import annotated, read_annotated
from deidentification.text.spans import Kind
from deidentification.text.tagger import Tag, Tagger

pytestmark = pytest.mark.slow

SENTENCES = [
    "Mr [[PERSON:Harold Whitcombe]] rang on [[DATE:12/03/2021]].",
    "Gleason 4+3, ref [[MRN:RX4471092]].",
    "Barthel 45, Foley out.",
]


def test_the_blind_sets_are_not_learned_from() -> None:
    assert not {"independent3", "independent4"} & set(PARTS)


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_note_is_left_out_once_and_is_in_no_test_set(code: str) -> None:
    notes = read_annotated(NOTES / f"{code}.txt")
    assert [note for number in range(FOLDS) for note in fold(code, number)] == notes
    texts = {note.text for note in notes}
    assert len(texts) == len(notes)
    tested = (corpus.ANNOTATED / part / f"{code}.txt" for part in (*PARTS, "independent3", "independent4"))
    assert not texts & {sentence.text for path in tested for sentence in read_annotated(path)}


def test_cross_validation_measures_each_fold_with_what_was_trained_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = Path(weighing.__file__).with_name("tagger.npz")
    left_out = []

    def trained(number: int) -> dict[str, np.ndarray]:
        left_out.append(number)
        with np.load(packed) as stored:
            return dict(stored)

    monkeypatch.setattr(cross_validation, "trained", trained)
    monkeypatch.setattr(cross_validation, "fold", lambda code, number: fold(code, number)[:4])
    head, _, *rows = cross_validation.report()
    assert left_out == list(range(FOLDS))
    assert head.count("|") == 7
    for code, row in zip(LANGUAGES, rows, strict=True):
        marked = sum(len(note.spans) for number in range(FOLDS) for note in fold(code, number)[:4])
        assert row.startswith(f"| {code} | {marked} | ")
        assert all(0 <= float(cell) <= 1 for cell in row.strip("| ").split(" | ")[2:])


def test_what_the_rules_say_is_shown_of_notes_alone() -> None:
    made = annotated(SENTENCES[0])
    shown, hidden = (example(made, "en", ruled=ruled).sorts for ruled in (True, False))
    assert Sort.RULES in shown
    assert Sort.RULES not in hidden
    assert len(shown) > len(hidden)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_line_fills_and_its_spans_hold_what_they_say(code: str) -> None:
    draws = Draws(code, Random(0), ["normal", "pain"])
    for line in lines(code):
        made = filled(line, draws)
        assert "{" not in made.text
        assert all(made.text[s.start : s.end] == made.text[s.start : s.end].strip() != "" for s in made.spans)
        assert all(any(c.isdigit() for c in made.text[s.start : s.end]) for s in made.spans if s.kind is Kind.MRN)


@pytest.mark.parametrize("seed", range(20))
def test_a_sentence_told_again_keeps_its_words_and_the_number_of_its_identifiers(seed: int) -> None:
    told = varied(annotated(SENTENCES[0]), Draws("en", Random(seed), []))
    assert [s.kind for s in told.spans] == [Kind.PERSON, Kind.DATE]
    assert told.text.lower().startswith("mr ")
    assert told.text[told.spans[1].start : told.spans[1].end] == "12/03/2021"


def test_eponyms_and_brands_are_told_again_as_others_of_their_sort() -> None:
    draws = Draws("en", Random(0), [])
    told = {varied(annotated("Stryker trolley, Romberg negative."), draws).text for _ in range(50)}
    assert len(told) > 20
    assert all("trolley" in text.lower() and "negative" in text.lower() for text in told)


def test_tags_follow_the_annotation_and_old_ages_have_none() -> None:
    made = example(annotated("Ms [[PERSON:Kaur]], [[AGE:94]], at [[LOCATION:Leeds]]"), "en")
    assert list(made.tags) == [Tag.OTHER, Tag.PERSON, Tag.OTHER, Tag.OTHER, Tag.OTHER, Tag.OTHER, Tag.PLACE]
    assert made.sizes.sum() == len(made.rows) == len(made.sorts)


def test_the_same_seed_learns_the_same_and_enough_to_tell_a_name() -> None:
    examples = [example(annotated(line), "en") for line in SENTENCES * 40]
    one, other = (learn(examples, passes=40, seed=1).exported() for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    found = list(pieces("Mr Harold Whitcombe rang on 12/03/2021."))
    likely = Tagger({name: array[None] for name, array in one.items()}).likely(found, [""] * len(found), "en")
    assert [Tag(row.argmax()) for row in likely[:4]] == [Tag.OTHER, Tag.PERSON, Tag.PERSON, Tag.OTHER]
    assert found[1].text == "Harold"


def test_numpy_runs_what_torch_has_learned() -> None:
    torch.manual_seed(0)
    network = Network().eval()
    made = annotated(SENTENCES[0])
    rows, offsets, sorts, mask, _ = _tensors([example(made, "en", ruled=True)])
    with torch.no_grad():
        expected = torch.softmax(network(rows, offsets, torch.ones(len(sorts)), mask)[0], dim=1).numpy()
    weights = {name: array[None] for name, array in network.exported().items()}
    found = list(pieces(made.text))
    likely = Tagger(weights).likely(found, verdicts(found, rules(made.text, "en")), "en")
    np.testing.assert_allclose(likely, expected, atol=2e-3)


def test_a_corpus_is_drawn_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for times in ("RETOLD", "SLOTTED", "NOTED"):
        monkeypatch.setattr(corpus, times, 1)
    monkeypatch.setattr(corpus, "LANGUAGES", ("en",))
    monkeypatch.setattr(corpus, "PARTS", ("fresh",))
    monkeypatch.setattr(corpus, "fold", lambda code, number: fold(code, number)[:5])
    one, other = (corpus.corpus(seed=3) for _ in range(2))
    assert all(
        np.array_equal(a.rows, b.rows) and np.array_equal(a.tags, b.tags) for a, b in zip(one, other, strict=True)
    )
