"""Laws of scrubbing: what is handed in never survives, nothing overlaps, tags are stable, surrogates are consistent."""

import logging
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban
from stdnum.fi import hetu

from deidentification.shift import shift_days
from deidentification.text import Kind, Mode, scrub
from deidentification.text.dates import moved
from deidentification.text.language import LANGUAGES, language
from deidentification.text.surrogates import Surrogates
from records.errors import ParameterError

KEY = bytes(range(32))
NAMES = st.text("abcdefghijklmnopqrstuvwxyzäöåñçé", min_size=4, max_size=12).map(str.capitalize)
NUMBERS = st.text("0123456789", min_size=5, max_size=12)
PROSE = st.lists(
    st.sampled_from(["Patient", "seen", "today,", "PSA", "4.1", "ng/ml.", "Potilas", "tuli", "con", "dott.", "T2N0M0", "12.3.2021", "Dr", "\n"]),
    max_size=8,
).map(" ".join)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(PROSE, NAMES, NAMES, NUMBERS, PROSE, st.sampled_from(LANGUAGES), st.sampled_from(Mode))
def test_identifiers_handed_in_never_survive(
    before: str, first: str, last: str, number: str, after: str, code: str, mode: Mode
) -> None:
    note = f"{before} {first.lower()} {last.upper()} ({number}) {after}"
    known = [f"{first} {last}", number]
    result = scrub(note, language=code, patient="p", key=KEY, known=known, mode=mode).text
    words = set(re.findall(r"\w+", result.lower()))
    assert not words & {first.lower(), last.lower(), number}


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_spans_are_in_order_and_apart_for_any_text(text: str, code: str) -> None:
    spans = scrub(text, language=code, patient="p", key=KEY).spans
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    assert all(one.end <= two.start for one, two in zip(spans, spans[1:], strict=False))


@settings(deadline=None, max_examples=40)
@given(PROSE, NAMES, NUMBERS, st.sampled_from(LANGUAGES))
def test_scrubbing_a_tagged_text_again_changes_nothing_more(prose: str, name: str, number: str, code: str) -> None:
    once = scrub(f"{prose} Dr {name} {number}", language=code, patient="p", key=KEY, known=[name], mode=Mode.TAG).text
    assert scrub(once, language=code, patient="p", key=KEY, known=[name], mode=Mode.TAG).text == once


def test_one_name_has_one_surrogate_within_a_patient_and_another_in_the_next() -> None:
    note = "Mr Harold Whitcombe rang. Whitcombe is well. WHITCOMBE asked for tablets."
    one, again, other = (scrub(note, language="en", patient=p, key=KEY).text for p in ("a", "a", "b"))
    family = re.search(r"Mr \w+ (\w+) rang", one)
    assert family is not None
    assert one.count(family[1]) + one.count(family[1].upper()) == 3
    assert one == again
    assert one != other
    assert scrub(note, language="en", patient="a", key=bytes(32)).text != one


def test_finnish_cases_of_one_name_keep_one_surrogate_and_their_ending() -> None:
    text = scrub("Herra Virtanen tuli. Virtasen vaimo ja Virtaselle lapsi.", language="fi", patient="a", key=KEY).text
    stem = re.search(r"Herra (\w+)nen tuli", text)
    assert stem is not None
    assert f"{stem[1]}sen vaimo" in text
    assert f"{stem[1]}selle lapsi" in text


def test_dates_keep_their_form_and_their_interval() -> None:
    text = scrub("Seen 12/03/2021, 2021-03-14 and March 16, 2021.", language="en", patient="a", key=KEY).text
    days = shift_days("a", KEY)
    expected = [moved(d, days, language("en")) for d in ("12/03/2021", "2021-03-14", "March 16, 2021")]
    assert all(d in text for d in expected if d)
    assert None not in expected


@pytest.mark.parametrize(
    ("code", "found", "expected"),
    [
        ("en", "21st of October 2020", "22nd of October 2020"), ("en", "Jan 31, 2023", "Feb 1, 2023"),
        ("fi", "31.12.2021", "01.01.2022"), ("fi", "12.3.2021", "13.3.2021"), ("fi", "18. tammikuuta 2022", "19. tammikuuta 2022"),
        ("es", "5 de febrero de 2022", "6 de febrero de 2022"), ("it", "28/02/21", "01/03/21"),
        ("pt", "2020-02-28", "2020-02-29"), ("pt", "31/02/2020", None),
        ("it", "30.XI.2023", "1.XII.2023"), ("es", "3 iv 2021", "4 iv 2021"), ("pt", "31/XII/99", "1/I/00"), ("en", "28-II-2021", "1-III-2021"),
    ],
)  # fmt: skip
def test_a_date_moves_by_one_day(code: str, found: str, expected: str | None) -> None:
    assert moved(found, 1, language(code)) == expected


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("found", ["12.XI.2023", "3 IV 2021", "12. XI. 2023", "12.XI 2023", "07.xii.2023"])
def test_dates_with_roman_months_move(code: str, found: str) -> None:
    text = scrub(f"PSA 4 ({found}).", language=code, patient="a", key=KEY).text
    assert text == f"PSA 4 ({moved(found, shift_days('a', KEY), language(code))})."


def test_numbers_keep_their_shape_and_are_nobodys() -> None:
    note = "Hetu 230262-618C, tili FI26 4960 0485 5179 53"
    text = scrub(note, language="fi", patient="a", key=KEY).text
    new = re.findall(r"\d{6}-\d{3}[A-Z]|[A-Z]{2}\d{2}(?: \d{4}){3} \d{2}", text)
    assert len(new) == 2
    assert not hetu.is_valid(new[0])
    assert not iban.is_valid(new[1], check_country=False)
    assert "230262" not in text


@pytest.mark.parametrize("found", ["1234", "+358 40 123 4567", "(020) 7946 0018"])
def test_a_telephone_number_is_never_its_own_surrogate(found: str) -> None:
    made = {Surrogates(str(p), KEY, language("en"), ()).of(Kind.PHONE, found) for p in range(2000)}
    assert found not in made
    assert all(re.sub(r"\d", "0", number) == re.sub(r"\d", "0", found) for number in made)


def test_ages_above_89_become_one_class() -> None:
    result = scrub("A 93-year-old and an 89-year-old.", language="en", patient="a", key=KEY)
    assert result.text == "A 90+-year-old and an 89-year-old."
    assert [s.kind for s in result.spans] == [Kind.AGE]


def test_eponyms_doses_and_stages_stay() -> None:
    note = "Gleason 4+3=7, PSA 12.4 ng/ml, T2aN1M0; Babinski positive, Kaplan-Meier shown, osimertinib 80 mg."
    assert scrub(note, language="en", patient="a", key=KEY).text == note


def test_an_unknown_language_and_a_short_key_are_refused() -> None:
    with pytest.raises(ParameterError, match="language must be one of"):
        scrub("x", language="sv", patient="a", key=KEY)
    with pytest.raises(ParameterError, match="at least 16 bytes"):
        scrub("x", language="en", patient="a", key=b"short")


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        scrub("Mr Harold Whitcombe, NHS 898 988 5108", language="en", patient="a", key=KEY, known=["Whitcombe"])
    out = capsys.readouterr()
    assert "Whitcombe" not in caplog.text + out.out + out.err
