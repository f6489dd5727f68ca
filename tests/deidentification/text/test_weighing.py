"""What the tagger says beside the rules: it adds and vetoes names, and never takes back what has a written form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidentification.text import weighing
from deidentification.text.features import pieces
from deidentification.text.known import known_spans
from deidentification.text.language import LANGUAGES, language
from deidentification.text.scrubbing import find
from deidentification.text.spans import Kind, Span
from deidentification.text.tagger import Tag, tagger
from deidentification.text.weighing import Weighing, stood_in
from deidentification.text.words import Words
from deidentification.text.written import written


def weighed(text: str, tags: dict[str, tuple[Tag, float]]) -> Weighing:
    """A text whose words have these tags with these probabilities."""
    found = list(pieces(text))
    likely = np.zeros((len(found), len(Tag)), np.float32)
    likely[:, Tag.OTHER] = 1
    for at, piece in enumerate(found):
        if piece.text in tags:
            tag, chance = tags[piece.text]
            likely[at, tag], likely[at, Tag.OTHER] = chance, 1 - chance
    return Weighing(found, likely, Words(language("en")))


def added(text: str, tags: dict[str, tuple[Tag, float]]) -> list[tuple[str, Kind]]:
    return [(text[s.start : s.end], s.kind) for s in weighed(text, tags).added(())]


def test_sure_words_are_added_with_likely_ones_beside_them() -> None:
    tags = {
        "Hope": (Tag.PERSON, 0.99),
        "Will": (Tag.PERSON, weighing.ALONG + 0.01),
        "SABR": (Tag.PERSON, weighing.ALONG + 0.01),
    }
    assert added("MDT: Hope Will for SABR", tags) == [("Hope Will", Kind.PERSON)]


@pytest.mark.parametrize(
    ("text", "tag"), [("PSA", Tag.DATE), ("May", Tag.DATE), ("de", Tag.PLACE), ("seven", Tag.NUMBER)]
)
def test_what_no_identifier_of_its_kind_can_be_is_never_added(text: str, tag: Tag) -> None:
    assert added(text, {text: (tag, 1.0)}) == []


def test_a_small_word_must_be_surer() -> None:
    assert added("seen carry on", {"carry": (Tag.PERSON, (weighing.FOUND + weighing.LOWER) / 2)}) == []
    assert added("seen abdi on", {"abdi": (Tag.PERSON, 0.99)}) == [("abdi", Kind.PERSON)]
    assert added("seen 667 on", {"667": (Tag.NUMBER, (weighing.FOUND + weighing.LOWER) / 2)}) == []
    assert added("seen 6671 on", {"6671": (Tag.NUMBER, weighing.FOUND + 0.01)}) == [("6671", Kind.MRN)]


def test_relatives_and_titles_are_added_only_if_they_are_surely_names_and_countries_never() -> None:
    tags = {word: (Tag.PERSON, weighing.SURE - 0.01) for word in ("Wife", "Kenya", "Whitcombe")}
    assert added("Wife Whitcombe of Kenya", tags) == [("Whitcombe", Kind.PERSON)]
    tags = {word: (Tag.PERSON, 0.99) for word in ("Kenya", "Doctor", "Jones")}
    assert added("Kenya: Doctor Jones", tags) == [("Doctor Jones", Kind.PERSON)]


def test_what_the_rules_cover_is_left_to_them() -> None:
    tags = {word: (Tag.NUMBER, 0.9) for word in ("FM", "-", "2290", "/", "17")}
    spans = list(weighed("ref FM-2290/17 sent", tags).added([Span(4, 11, Kind.MRN)]))
    assert spans == [Span(11, 14, Kind.MRN)]


def test_a_rule_s_name_goes_only_if_no_piece_of_it_is_likely() -> None:
    spans = [Span(0, 5, Kind.PERSON), Span(7, 16, Kind.PERSON)]
    heard = weighed("Alvo, Rossi Bo", {"Rossi": (Tag.PERSON, 0.5)})
    assert list(heard.kept(spans)) == spans[1:]


@pytest.mark.parametrize("code", LANGUAGES)
@settings(deadline=None, max_examples=30)
@given(st.text("abcdeAB 0123456789./-+@", max_size=40))
def test_what_has_a_written_form_or_is_known_is_never_taken_back(code: str, text: str) -> None:
    text = f"Ref {text} GB29 NWBK 6016 1331 9268 19, a.b@example.org, +358 50 344 9021, Zyx"
    spans = find(text, language(code), ["Zyx"])
    covered = {at for span in spans for at in range(span.start, span.end)}
    for span in (*written(text, language(code)), *known_spans(text, ["Zyx"], code)):
        assert all(at in covered for at in range(span.start, span.end) if text[at].isalnum())


def test_the_committee_gives_probabilities() -> None:
    found = list(pieces("Patient Siobhan Entwistle rang about naproxen."))
    likely = tagger().likely(found, [""] * 7, "en")
    np.testing.assert_allclose(likely.sum(axis=1), 1, atol=1e-5)
    assert likely[1, Tag.PERSON] > 0.9
    assert likely[5, Tag.OTHER] > 0.9
    assert len(tagger().likely([], [], "en")) == 0


@pytest.mark.parametrize(
    ("code", "text", "name"),
    [
        ("en", "MDT outcome: Hope Mills for surgery, Young for palliative RT.", "Hope Mills"), ("fi", "Kierto: Laine Pentti kotiin.", "Laine Pentti"),
        ("es", "pte rosa campos no acude", "rosa campos"), ("it", "Letto 4 Serena Pace: dimessa.", "Serena Pace"), ("pt", "falei com luz neves", "luz neves"),
    ],
)  # fmt: skip
def test_names_that_are_words_are_found_by_what_stands_around_them(code: str, text: str, name: str) -> None:
    spans = find(text, language(code))
    covered = "".join(text[at] if any(s.start <= at < s.end for s in spans) else "|" for at in range(len(text)))
    assert all(part in covered for part in name.split())


def test_beside_tags_of_an_earlier_run_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    for threshold in ("FOUND", "LOWER", "ALONG"):
        monkeypatch.setattr(weighing, threshold, 0.0)
    assert find("takes naproxen daily", language("en"))
    assert find("[DATE] takes naproxen daily", language("en")) == ()


def test_a_tag_of_an_earlier_run_is_read_as_one_word() -> None:
    text = "Dr [PERSON] on [DATE]: NATIONAL"
    found = stood_in(text, [Span(3, 11, Kind.PERSON), Span(15, 21, Kind.DATE)])
    assert [(p.start, p.end) for p in found] == [(0, 2), (3, 11), (12, 14), (15, 21), (21, 22), (23, 31)]
    assert found[1].text.isalpha()
    assert found[3].text.isdecimal()
