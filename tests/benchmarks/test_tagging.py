"""The tagger's training: sentences stay truly annotated, learning is repeatable, and numpy runs what torch has learned."""

from random import Random

import numpy as np
import pytest
import torch

from benchmarks.tagging import corpus
from benchmarks.tagging.corpus import PARTS, example
from benchmarks.tagging.draws import Draws
from benchmarks.tagging.network import Network, _tensors, learn
from benchmarks.tagging.slots import filled, lines
from benchmarks.tagging.variation import varied
from deidentification.text.language import LANGUAGES
from deidentification.text.measuring import annotated
from deidentification.text.spans import Kind
from deidentification.text.tagger import Tag, Tagger

pytestmark = pytest.mark.slow

SENTENCES = [
    "Mr [[PERSON:Harold Whitcombe]] rang on [[DATE:12/03/2021]].",
    "Gleason 4+3, ref [[MRN:RX4471092]].",
    "Barthel 45, Foley out.",
]


def test_the_blind_set_is_not_learned_from() -> None:
    assert "independent3" not in PARTS


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


def test_tags_follow_the_annotation_and_old_ages_have_none() -> None:
    made = example(annotated("Ms [[PERSON:Kaur]], [[AGE:94]], at [[LOCATION:Leeds]]"), "en")
    assert list(made.tags) == [Tag.OTHER, Tag.PERSON, Tag.OTHER, Tag.OTHER, Tag.OTHER, Tag.OTHER, Tag.PLACE]
    assert made.sizes.sum() == len(made.rows) == len(made.sorts)


def test_the_same_seed_learns_the_same_and_enough_to_tell_a_name() -> None:
    examples = [example(annotated(line), "en") for line in SENTENCES * 40]
    one, other = (learn(examples, passes=40, seed=1).exported() for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    found, likely = Tagger({name: array[None] for name, array in one.items()}).tagged(
        "Mr Harold Whitcombe rang on 12/03/2021.", "en"
    )
    assert [Tag(row.argmax()) for row in likely[:4]] == [Tag.OTHER, Tag.PERSON, Tag.PERSON, Tag.OTHER]
    assert found[1].text == "Harold"


def test_numpy_runs_what_torch_has_learned() -> None:
    torch.manual_seed(0)
    network = Network().eval()
    made = annotated(SENTENCES[0])
    rows, offsets, sorts, mask, _ = _tensors([example(made, "en")])
    with torch.no_grad():
        expected = torch.softmax(network(rows, offsets, torch.ones(len(sorts)), mask)[0], dim=1).numpy()
    weights = {name: array[None] for name, array in network.exported().items()}
    np.testing.assert_allclose(Tagger(weights).tagged(made.text, "en")[1], expected, atol=2e-3)


def test_a_corpus_is_drawn_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "RETOLD", 1)
    monkeypatch.setattr(corpus, "SLOTTED", 1)
    monkeypatch.setattr(corpus, "LANGUAGES", ("en",))
    one, other = (corpus.corpus(["fresh"], seed=3) for _ in range(2))
    assert all(
        np.array_equal(a.rows, b.rows) and np.array_equal(a.tags, b.tags) for a, b in zip(one, other, strict=True)
    )
