"""National numbers against published examples, and the law that check digits catch one wrong digit."""

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidentification.identification.national_ids import NATIONAL_IDS, NationalId

OF = {kind.name: kind for kind in NATIONAL_IDS}

# As printed in the authorities' own explanations (DVV, Skatteverket, IBZ, AMA, NHS) or in general descriptions.
PUBLISHED = {
    "henkilötunnus": ["131052-308T", "131052A308T", "131052Y308T", "010594Y9032", "010516B903X"],
    "personnummer": ["811228-9874", "198112289874", "640823-3234", "701063-2391"],
    "DNI": ["12345678Z", "12.345.678-Z"],
    "NIE": ["X1234567L"],
    "codice fiscale": ["RSSMRA85T10A562S"],
    "rijksregisternummer": ["85.07.30-033 28", "93.05.18-223.61"],
    "NIF": ["123456789"],
    "Cartão de Cidadão": ["00000000 0 ZZ4"],
    "NHS number": ["943 476 5919", "943-476-5919"],
}
CATCHES_ALL = ("henkilötunnus", "DNI", "NIE", "rijksregisternummer", "NHS number", "personnummer")


def whole(kind: NationalId, text: str) -> bool:
    found = re.fullmatch(kind.pattern, text)
    return found is not None and kind.valid(found[0])


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_examples_are_known(name: str) -> None:
    for text in PUBLISHED[name]:
        assert whole(OF[name], text), text
        assert pl.Series([f"id {text}, seen"]).str.extract(OF[name].pattern, 0).item() == text


@pytest.mark.parametrize("name", CATCHES_ALL)
@given(data=st.data())
def test_one_wrong_digit_is_caught(name: str, data: st.DataObject) -> None:
    text = PUBLISHED[name][0]
    place = data.draw(st.sampled_from([i for i, c in enumerate(text) if c.isdigit()]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != text[place]]))
    assert not whole(OF[name], text[:place] + digit + text[place + 1 :])


@pytest.mark.parametrize("text", ["310252-308Y", "811298-9874", "811388-9873"])
def test_impossible_dates_are_no_numbers(text: str) -> None:
    assert not any(whole(kind, text) for kind in NATIONAL_IDS)


def test_every_country_of_the_partners_is_covered() -> None:
    assert {kind.country for kind in NATIONAL_IDS} == {"FI", "SE", "ES", "IT", "BE", "PT", "UK"}
