"""The packed lists of ordinary words, against the dictionary they come from and laws of the format."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidentification.text.dictionary import blocks_of, known_word, words_of
from deidentification.text.language import LANGUAGES

WORDS = st.lists(st.text("abcäö-", min_size=1, max_size=30), max_size=300)


@settings(deadline=None, max_examples=50)
@given(WORDS)
def test_coded_words_come_back_in_order(words: list[str]) -> None:
    kept = {w for w in words if all(part.isalpha() for part in w.split("-"))}
    back = [word.decode() for block in blocks_of(words) for word in words_of(block)]
    assert sorted(kept, key=str.encode) == back


@pytest.mark.slow
@pytest.mark.parametrize("code", LANGUAGES)
def test_the_lists_hold_what_simplemma_holds_and_nothing_else(code: str) -> None:
    from simplemma.strategies.dictionaries import LOW_MEMORY_DICTIONARY_FACTORY

    listed = LOW_MEMORY_DICTIONARY_FACTORY.get_dictionary(code)
    words = [w for w in islice(listed, 0, 150_000, 50) if w.isalpha() and w.islower()]
    assert len(words) > 1000
    assert all(known_word(word, code) for word in words)
    changed = [f"{word[:-1]}q{word[-1]}" for word in words]
    wrong = [w for w in changed if known_word(w, code) and w not in listed and w.capitalize() not in listed]
    assert wrong == []


@pytest.mark.parametrize("word", ["", "aaaaaaaa", "zzzzzz", "ööööö", "12"])
def test_strange_words_are_unknown(word: str) -> None:
    assert not known_word(word, "fi")
