"""The table beside a list we did not write, the options beside the standard's own codes."""

from importlib import import_module

import pytest
from pydicom.sr.codedict import codes

from deidentification.dicom.options import BASIC, Option, method_codes
from deidentification.dicom.profile import Action, columns_of, removed_by_group, rules

LISTS = ("D", "Z", "X", "U", "Z_D", "X_Z", "X_D", "X_Z_D", "X_Z_U_STAR")


def test_the_basic_actions_are_those_of_dicom_anonymizer() -> None:
    theirs = import_module("dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c")
    listed = {
        tag: name.replace("_STAR", "*").replace("_", "/") for name in LISTS for tag in getattr(theirs, f"{name}_TAGS")
    }
    single = {tag[0] << 16 | tag[1]: action.replace("U*", "U*") for tag, action in listed.items() if len(tag) == 2}
    assert {tag: rule.basic for tag, rule in rules().items()} == single
    assert len(single) == 652
    repeating = {tag[0]: action for tag, action in listed.items() if len(tag) == 4}
    assert set(repeating.values()) == {"X"}
    assert all(removed_by_group((group | 0x0A) << 16 | 0x3000) for group in repeating)


def test_codes_are_those_of_the_standard() -> None:
    theirs = {code.value: code.meaning for code in codes.CID7050.concepts.values()}
    ours = dict([BASIC, *((option.code, option.meaning) for option in Option)])
    assert ours.items() <= theirs.items()
    assert next(item.CodeValue for item in method_codes(Option)) == "113100"


@pytest.mark.parametrize(
    ("tag", "options", "action"),
    [
        (0x00104000, (), "X"),  # Patient Comments
        (0x00080050, (), "Z"),  # Accession Number
        (0x00100020, (), "D"),  # Patient ID: Z/D
        (0x00080022, (), "Z"),  # Acquisition Date: X/Z
        (0x00080022, ("retain-modified-dates",), "C"),
        (0x0008103E, (), "X"),  # Series Description
        (0x0008103E, ("clean-descriptors",), "C"),
        (0x00101010, ("retain-patient-characteristics",), "K"),
        (0x00181000, (), "D"),  # Device Serial Number: X/Z/D
        (0x00181000, ("retain-device-identity",), "K"),
        (0x00080080, ("retain-institution-identity",), "K"),
        (0x0020000D, (), "U"),
        (0x0020000D, ("retain-uids",), "K"),
        (0x00081140, (), "U"),  # Referenced Image Sequence: X/Z/U*
        (0x0040A730, (), "D"),  # Content Sequence
        (0x0040A730, ("clean-structured-content",), "C"),
        (0x00102110, ("retain-patient-characteristics",), "C"),  # Allergies
    ],
)
def test_actions(tag: int, options: tuple[str, ...], action: str) -> None:
    assert rules()[tag].action(columns_of(Option(name) for name in options)) == action


def test_a_sequence_that_may_go_goes_rather_than_get_a_dummy_item() -> None:
    assert rules()[0x00081072].action(frozenset(), sequence=True) is Action.REMOVE
