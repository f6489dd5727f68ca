"""Dummies, dates and UIDs are valid for their VR, by pydicom's own validation."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, config
from pydicom.uid import UID
from pydicom.valuerep import DA, DT, VR, validate_value

from deidentification.dicom.descriptors import cleaned
from deidentification.dicom.temporal import shifted_date, shifted_datetime
from deidentification.dicom.uids import names_a_standard_thing, new_uid
from deidentification.dicom.values import dummy

KEY = b"k" * 32


@pytest.mark.parametrize("vr", sorted(set(VR) - {VR.SQ, VR.UI}))
def test_every_vr_has_a_valid_dummy(vr: str) -> None:
    """pydicom, told to raise, accepts the dummy and writes it as the same value."""
    first = vr.split(" or ")[0]
    validate_value(first, dummy(vr), config.RAISE)
    assert DataElement(0x00091001, first, dummy(vr)).value == dummy(vr)


@given(st.dates(date(1850, 1, 1), date(2150, 1, 1)), st.integers(-365, 365))
def test_dates_move_by_the_shift(day: date, days: int) -> None:
    text = f"{day.year:04d}{day.month:02d}{day.day:02d}"
    assert DA(shifted_date(text, days)) == day + timedelta(days)
    moved = DT(shifted_datetime(text + "123456.789000+0100", days))
    assert moved is not None
    assert moved.date() == day + timedelta(days)
    assert (moved.hour, moved.minute, moved.microsecond) == (12, 34, 789000)


@pytest.mark.parametrize("text", ["", "1997", "19971332", "Smith", "1997010112"])
def test_what_is_no_date_is_not_moved(text: str) -> None:
    assert shifted_date(text, 3) is None


def test_dates_keep_their_precision_and_the_old_form_is_read() -> None:
    assert shifted_date("1997.04.24", 1) == "19970425"
    assert shifted_datetime("199704", 40) == "199705"
    assert shifted_datetime("1997", 400) == "1998"
    assert shifted_datetime("noon", 1) is None


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=8))
def test_new_uids_are_valid_fixed_by_the_key_and_different(parts: list[int]) -> None:
    old = ".".join(map(str, (1, 2, *parts)))
    new = new_uid(old, KEY)
    assert UID(new).is_valid
    assert new == new_uid(f"{old}\0", KEY) != new_uid(old, b"l" * 32)
    assert new_uid(f"{old}.1", KEY) != new


def test_only_things_of_the_standard_keep_their_uids() -> None:
    assert names_a_standard_thing("1.2.840.10008.5.1.4.1.1.2")
    for made_up in ("1.3.12.2.1107.5.9.1", "Smith", "1.2.276.0.7230010.3.0.0.1", "1.2.3.4"):
        assert not names_a_standard_thing(made_up)


def test_descriptions_keep_words_of_medicine_and_short_numbers() -> None:
    assert cleaned("AX T2 FLAIR 5.0 mm Virtanen 19970424 #123456 lung") == "AX T2 FLAIR 5.0 mm lung"
    assert not re.search(r"\d{4}", cleaned("born 1997 tel 0401234567"))
