"""Relatives and roles at a sentence's start are no names, and the name after them is one."""

import pytest

from deidentification.text.language import language
from deidentification.text.scrubbing import find
from deidentification.text.spans import Kind

SENTENCES = {
    "en": "{} Gwen rang yesterday about the tablets.", "fi": "{} Liisa soitti eilen.", "es": "{} Rosario llamó ayer.",
    "it": "{} Tiziana ha telefonato ieri.", "pt": "{} Deolinda telefonou ontem.",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(SENTENCES))
@pytest.mark.parametrize("what", ["relatives", "roles"])
def test_who_calls_is_kept_and_the_name_is_found(code: str, what: str) -> None:
    spoken = language(code)
    for word in sorted(w for w in spoken.listed(what) if len(w) > 2):
        text = SENTENCES[code].format(word.capitalize())
        spans = [text[s.start : s.end] for s in find(text, spoken) if s.kind is Kind.PERSON]
        assert spans == [text.split()[1]], word


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Tyttärelle Annalle kerrottu.", "Annalle"), ("Miehensä Veikko paikalla.", "Veikko"), ("Pojalle Jussille soitettu.", "Jussille"),
        ("Veljelleen Matille ilmoitettu.", "Matille"), ("Sisaren Tuulan luona.", "Tuulan"), ("Puhuttu vaimonsa Liisan kanssa.", "Liisan"),
    ],
)  # fmt: skip
def test_finnish_relatives_in_all_cases(text: str, name: str) -> None:
    assert [text[s.start : s.end] for s in find(text, language("fi"))] == [name]


@pytest.mark.parametrize(
    ("code", "text", "name"),
    [
        ("en", "Grace reports less pain.", "Grace"), ("en", "Pain reports are filed.", ""), ("en", "SUVmax 6.2 in the nodule.", ""),
        ("fi", "Sh Tiina Laaksonen kirjasi.", "Tiina Laaksonen"), ("es", "Dolores refiere mejoría.", "Dolores"), ("es", "Dolores articulares.", ""),
        ("it", "Serena riferisce benessere.", "Serena"), ("pt", "Vitória refere melhoria.", "Vitória"),
    ],
)  # fmt: skip
def test_a_name_that_is_a_word_is_told_by_what_it_does(code: str, text: str, name: str) -> None:
    assert [text[s.start : s.end] for s in find(text, language(code))] == ([name] if name else [])


@pytest.mark.parametrize(
    ("code", "text", "name"),
    [
        ("en", "We told Mark 4 days ago.", "Mark"), ("en", "Spoke to Grace 2 weeks ago.", "Grace"), ("en", "The Mark 2 device failed.", ""),
        ("es", "Le dijimos a Consuelo 3 días antes.", "Consuelo"), ("it", "Avvisata Gioia 2 giorni fa.", "Gioia"),
        ("pt", "Avisámos a Vitória 3 dias antes.", "Vitória"), ("fi", "Soitettu Toivolle 3 päivää sitten.", "Toivolle"),
    ],
)  # fmt: skip
def test_a_name_before_a_time_is_no_numbered_heading(code: str, text: str, name: str) -> None:
    assert [text[s.start : s.end] for s in find(text, language(code))] == ([name] if name else [])


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "Born in Israel, lived in Jordan, back from Georgia. From Chad by air. Recent France holiday."),
        ("fi", "Syntynyt Irakissa, äiti Iranista, isä Israelista. Matka Jordaniaan."), ("es", "Nació en Israel y vivió en Georgia. Viene de Líbano."),
        ("it", "Nato in Israele, rientra dal Ciad. Viaggio in Francia."), ("pt", "Nasceu em Israel, viveu na Jordânia e no Chade."),
    ],
)  # fmt: skip
def test_countries_are_no_names(code: str, text: str) -> None:
    assert find(text, language(code)) == ()


def test_a_given_name_that_is_a_country_is_a_name() -> None:
    text = "Jordan Whitcombe rang; Mrs Israel agreed."
    assert [text[s.start : s.end] for s in find(text, language("en"))] == ["Jordan Whitcombe", "Israel"]
