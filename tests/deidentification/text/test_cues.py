"""Names that their place in a note gives away, and terms in the same places that are no names."""

import time

import pytest

from deidentification.text.language import LANGUAGES, language
from deidentification.text.scrubbing import find


def found(text: str, code: str) -> list[str]:
    return [text[span.start : span.end] for span in find(text, language(code))]


@pytest.mark.parametrize(
    ("code", "text", "names"),
    [
        ("en", "seen by j. mcallister (SLT): coughing", ["j. mcallister"]),
        ("fi", "Puheterapeutti m. korhonen: nielu kunnossa", ["m. korhonen"]),
        ("en", "typed by sj, not checked", ["sj"]),
        ("fi", "LL Sanni Rautiainen / ER 3.4.2021", ["Sanni Rautiainen", "ER", "3.4.2021"]),
        ("pt", "CORTE-REAL, BRUNO: cama 7", ["CORTE-REAL, BRUNO"]),
        ("pt", "Vitória Ramos - QT; Tran Van Minh - EBUS; Pé-Curto - vigilância", ["Vitória Ramos", "Tran Van Minh", "Pé-Curto"]),
        ("en", "1. Wilkes - surgery; 2. Oduya - SABR", ["Wilkes", "Oduya"]),
        ("pt", "Telefonou Raminhos, irmão do doente.", ["Raminhos"]),
        ("en", "Wren, 67, lives alone. Wren denies pain.", ["Wren", "Wren"]),
        ("fi", "Saattaja Veikko Karhu odottaa. Karhun puhelin soi.", ["Veikko Karhu", "Karhun"]),
        ("es", "Derivado por J.L. Arrabal, médico", ["J.L. Arrabal"]),
        ("it", "Prenotato per Salvatore Lo Monaco", ["Salvatore Lo Monaco"]),
    ],
)  # fmt: skip
def test_names_are_found_by_their_place(code: str, text: str, names: list[str]) -> None:
    assert found(text, code) == names


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "Cisplatin - cycle 2; Pemetrexed - cycle 2; Dexamethasone - stopped"),
        ("en", "Vitamin D. Plan: repeat. Hepatitis B. Screen negative. PSA 12.3. Plan: review in clinic."),
        ("en", "NIHSS 14 on arrival, Ward 9, Stage IIIB, arm B. Next scan in May"),
        ("fi", "Perussairaudet: Verenpainetauti, Diabetes. Krea 98, Kalium 4,1. Osasto 5A."),
        ("es", "Fosfatasa alcalina 320. Holter: Fibrilación auricular. Viaja a Marruecos, padre con Parkinson, madre sana."),
        ("it", "Rettorragia lieve. Vive in Italia dal 2015. Metastasi encefaliche. Neutrofili 1300, PLT 198000."),
        ("pt", "Colonoscopia normal. Retorragia ligeira. Veio de Angola. Cálcio 9,8."),
    ],
)  # fmt: skip
def test_terms_in_the_same_places_stay(code: str, text: str) -> None:
    assert found(text, code) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_long_lines_take_no_longer_than_their_length_asks(code: str) -> None:
    """Repeated letters, numbers and capitals are the worst of what a pattern may be given."""
    start = time.process_time()
    for piece in ("A", "Ab ", "1", "A1", "a. ", "De ", "A, ", "12 "):
        find(piece * 300, language(code))
    assert time.process_time() - start < 30
