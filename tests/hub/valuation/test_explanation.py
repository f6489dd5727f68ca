"""Shares in words and pictures: every state, both languages, no gap, and a picture that is one."""

import io
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from matplotlib.image import imread

from hub.valuation.contribution import Terms, Valuation, valued
from hub.valuation.copies import Overlap
from hub.valuation.explanation import LANGUAGES, STATES, WORDS, explained, shares_plot, steps_plot
from records.errors import ParameterError
from tests.hub.valuation.people import holding, of_nobody, patients


@pytest.fixture(scope="module")
def valuation() -> Valuation:
    market = {"north": holding(patients(1, 100)), "south": holding(patients(2, 60))}
    terms = Terms(permutations=99, alike=24, floor=Decimal("0.1"))
    return valued(market, of_nobody(1), terms, np.random.default_rng(0), {"north": 1.0, "south": 0.5})


def test_words_say_the_numbers(valuation: Valuation) -> None:
    told = explained(valuation, "south")
    line = valuation.lines[1]
    assert told.startswith("south brought 60 records")
    assert f"{float(line.share):.2%}, after the label's quality factor 0.5" in told
    assert "10% of the revenue is divided by records" in told
    assert "nearest records above chance" in told


def test_every_state_has_words_in_both_languages(valuation: Valuation) -> None:
    assert STATES["en"].keys() == STATES["fi"].keys()
    assert WORDS["en"].keys() == WORDS["fi"].keys()
    overlap = Overlap(1, 1, 60, 30, 1.0, 1e-9)
    for state in STATES["en"]:
        lines = (valuation.lines[0], replace(valuation.lines[1], state=state, worth=-0.1))
        found = replace(valuation, lines=lines, overlaps=(("south", "south", overlap),))
        told = [explained(found, "south", language) for language in LANGUAGES]
        assert told[0] != told[1]
        assert not any("{" in words or "nan" in words for words in told)
    held = replace(valuation.lines[1], state="held")
    found = replace(valuation, lines=(valuation.lines[0], held), overlaps=(("south", "south", overlap),))
    assert "look like each other more often" in explained(found, "south")


def test_pictures_are_png_of_some_size(valuation: Valuation) -> None:
    for picture in (shares_plot(valuation), steps_plot(valuation, "north"), steps_plot(valuation, "south", "fi")):
        pixels = imread(io.BytesIO(picture), format="png")
        assert pixels.shape[1] == 840
        assert pixels.std() > 0.05


def test_unknown_holder_and_language_are_refused(valuation: Valuation) -> None:
    with pytest.raises(ParameterError, match="one of north, south, got west"):
        explained(valuation, "west")
    with pytest.raises(ParameterError, match="one of en, fi, got sv"):
        explained(valuation, "north", "sv")
