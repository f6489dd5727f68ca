"""24 strings planted in every test file that pydicom ships: none comes out of ours, some come out of peers."""

import pytest

from benchmarks.dicom.peers import deid, dicom_anonymizer, left_by, ours
from benchmarks.dicom.planting import COUNT, STRINGS, example_files, places, planted
from deidentification.dicom.walk import elements

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return [planted(data) for _, data in example_files()]


def test_all_strings_are_planted(files: list[bytes]) -> None:
    assert len(files) > 100
    assert len(set(STRINGS)) == len(set(places())) == COUNT
    for data in files:
        inside = b"\n".join(element.value for element in elements(data))
        assert all(text.encode() in inside for text in STRINGS)


def test_nothing_is_left_by_ours(files: list[bytes]) -> None:
    left = left_by(ours, files)
    assert (left.files, left.failed) == (len(files), 0)
    assert (left.x_attributes, left.strings) == (set(), set())
    assert (left.nested_uids, left.private) == (0, 0)


def test_the_same_measure_finds_what_peers_leave(files: list[bytes]) -> None:
    few = files[::6]
    for peer in (dicom_anonymizer, deid):
        left = left_by(peer, few)
        assert left.files > len(few) / 2
        assert left.strings


def test_peers_agree_that_ours_has_nothing_to_remove(files: list[bytes]) -> None:
    """dicom-anonymizer, run on what ours made, finds no attribute to remove."""
    import io

    import pydicom
    from dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c import X_TAGS

    removed = {tag[0] << 16 | tag[1] for tag in X_TAGS if len(tag) == 2}
    for data in files[::4]:
        dataset = pydicom.dcmread(io.BytesIO(ours(data)))
        assert not [element.tag for element in dataset.iterall() if int(element.tag) in removed]
