"""Ages above 89 as notes write them, and numbers that are none."""

import pytest

from deidentification.text.language import language
from deidentification.text.scrubbing import find
from deidentification.text.spans import Kind

OLD = {
    "en": ["94F with SOB", "91-yr-old man", "a 97 year old", "turned 100", "F, 94, from home", "M 92.", "94 yr F", "pt is 93 now", "91\u2640 fell", "94y", "woman, 96"],
    "fi": ["94-v nainen", "97-vuotiaan", "N 94, kotoa", "mies 92", "92-vuotias", "täyttänyt 100 vuotta"],
    "es": ["mujer de 94 años", "varón 93a", "V 91, de su domicilio", "mujer, 96", "92 a.,"],
    "it": ["donna di 94 anni", "92enne", "F 96, da casa", "uomo, 91 a", "un 95-enne"],
    "pt": ["mulher de 94 anos", "93 A,", "F 96, do lar", "homem, 91a"],
}  # fmt: skip
YOUNG_OR_NO_AGE = {
    "en": ["89F with SOB", "F, 42, from home", "BP 98/60", "sats 94%", "M 92 mg", "V 95%", "HR 98, reg", "PEF 95.5", "room 94", "vol 100 ml"],
    "fi": ["saturaatio 94 %", "N 42, kotoa", "RR 98/60", "M 92 mmHg", "pulssi 98"],
    "es": ["sat 94%", "V 42, de casa", "TA 98/60", "FC 98"], "it": ["sat 94%", "F 42, da casa", "PA 98/60", "FC 98"],
    "pt": ["sat 94%", "F 42, do lar", "TA 98/60", "FC 98"],
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in OLD.items() for text in texts])
def test_old_ages_are_found(code: str, text: str) -> None:
    assert [span.kind for span in find(text, language(code))] == [Kind.AGE]


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in YOUNG_OR_NO_AGE.items() for text in texts])
def test_other_numbers_are_no_ages(code: str, text: str) -> None:
    assert not [span for span in find(text, language(code)) if span.kind is Kind.AGE]
