"""One test per action, and random nests of sequences from which nothing planted comes out."""

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.sequence import Sequence

from deidentification.dicom.engine import Engine
from deidentification.dicom.errors import DicomError
from deidentification.dicom.identity import subject_of
from deidentification.dicom.options import Option
from deidentification.dicom.uids import new_uid
from deidentification.pseudonyms import pseudonymise
from deidentification.shift import shift_days

KEY = b"k" * 32
SECRET = "Zyxwvut"


def patient(**attributes: Any) -> Dataset:
    dataset = Dataset()
    dataset.PatientID, dataset.PatientName, dataset.StudyInstanceUID = "A-1017", "Mustermann^Erika", "1.2.3"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def changed(dataset: Dataset, *options: Option) -> Dataset:
    Engine(KEY, frozenset(options), subject_of(dataset, KEY)).apply(dataset)
    return dataset


def items(**attributes: Any) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def test_the_patient_gets_the_pseudonym_of_the_tables() -> None:
    import polars as pl

    dataset = changed(patient())
    assert dataset.PatientID == str(dataset.PatientName) == pseudonymise(pl.Series(["A-1017"]), KEY)[0]


def test_x_removes_z_empties_d_replaces_u_maps() -> None:
    dataset = changed(patient(
        PatientComments="x", AccessionNumber="A1", StudyDate="20200101", DeviceSerialNumber="S1", FrameOfReferenceUID="1.2.9",
        OperatorIdentificationSequence=[items(InstitutionName="x")],
    ))  # fmt: skip
    assert "PatientComments" not in dataset
    assert "OperatorIdentificationSequence" not in dataset
    assert not dataset.AccessionNumber
    assert not dataset.StudyDate
    assert dataset.DeviceSerialNumber == "REMOVED"
    assert dataset.FrameOfReferenceUID == new_uid("1.2.9", KEY)


@pytest.mark.parametrize(
    ("model", "left"),
    [
        ("MRN47110815", False), ("Scan_47110815b", False), ("b. 19500317", False), ("Mustermann2", False),
        ("147110815", True), ("47110815000", True), ("Mustermanns Scanner", True),
    ],
)  # fmt: skip
def test_identifiers_are_found_beside_letters_and_names_beside_digits(model: str, left: bool) -> None:
    dataset = changed(patient(PatientID="47110815", PatientBirthDate="19500317", ManufacturerModelName=model))
    assert (dataset.ManufacturerModelName == model) is left


def test_a_part_of_a_name_goes_from_codes_and_terms_of_the_standard_stay() -> None:
    named = {"PatientName": "Zzyxova^Matilda^Chest=Muster", "ImageType": ["ORIGINAL", "PRIMARY", "ZZYXOVA"]}
    dataset = changed(
        patient(**named, BodyPartExamined="CHEST", ViewPosition="MATILDA", FilterMaterial=["TIN", "MUSTER"])
    )
    assert list(dataset.ImageType) == ["ORIGINAL", "PRIMARY", "REMOVED"]
    assert list(dataset.FilterMaterial) == ["TIN", "REMOVED"]
    assert (dataset.BodyPartExamined, dataset.ViewPosition) == ("CHEST", None)


def test_a_class_that_the_standard_does_not_know_is_mapped() -> None:
    dataset = changed(patient(SOPClassUID="1.2.246.131052308.99"))
    assert dataset.SOPClassUID == new_uid("1.2.246.131052308.99", KEY)


def test_k_keeps_and_ages_above_89_become_90() -> None:
    dataset = patient(PatientAge="093Y", PatientSex="F", PatientSize="1.6", DeviceSerialNumber="S1", StationName="ct01")
    dataset = changed(dataset, Option.RETAIN_PATIENT_CHARACTERISTICS, Option.RETAIN_DEVICE_IDENTITY)
    assert (dataset.PatientAge, dataset.PatientSex, dataset.DeviceSerialNumber) == ("090Y", "F", "S1")


def test_c_shifts_dates_by_the_patients_shift_and_keeps_times() -> None:
    dataset = patient(StudyDate="20200301", AcquisitionDateTime="20200302101112", StudyTime="101112")
    dataset = changed(dataset, Option.RETAIN_MODIFIED_DATES)
    from datetime import date, timedelta

    day = date(2020, 3, 1) + timedelta(shift_days("A-1017", KEY))
    assert dataset.StudyDate == day.strftime("%Y%m%d")
    assert dataset.AcquisitionDateTime == (day + timedelta(1)).strftime("%Y%m%d") + "101112"
    assert dataset.StudyTime == "101112"


def test_c_cleans_descriptors_of_names_that_are_words_too() -> None:
    dataset = patient(SeriesDescription="AX T2 brain Erika", ProtocolName="head 12345678", PatientName="Brain^Erika")
    dataset = changed(dataset, Option.CLEAN_DESCRIPTORS)
    assert dataset.SeriesDescription == "AX T2"
    assert dataset.ProtocolName == "head"


def test_a_report_becomes_a_comment_or_is_cleaned_on_request() -> None:
    def report() -> Dataset:
        text = items(ValueType="TEXT", RelationshipType="CONTAINS", TextValue=f"{SECRET} is well")
        number = items(ValueType="NUM", RelationshipType="CONTAINS", ContentSequence=[text])
        return patient(ContentSequence=[number])

    plain = changed(report())
    assert [item.TextValue for item in plain.ContentSequence] == ["REMOVED"]
    cleaned = changed(report(), Option.CLEAN_STRUCTURED_CONTENT)
    assert cleaned.ContentSequence[0].ValueType == "NUM"
    assert SECRET not in str(cleaned)


def test_annotations_go_or_lose_their_text_on_request() -> None:
    def drawn() -> Dataset:
        shape = items(GraphicType="POINT", GraphicData=[1.0, 2.0])
        both = items(TextObjectSequence=[items(UnformattedTextValue=SECRET)], GraphicObjectSequence=[shape])
        words = items(TextObjectSequence=[items(UnformattedTextValue=SECRET)])
        return patient(GraphicAnnotationSequence=[both, words])

    assert "GraphicAnnotationSequence" not in changed(drawn())
    cleaned = changed(drawn(), Option.CLEAN_GRAPHICS).GraphicAnnotationSequence
    assert len(cleaned) == 1
    assert cleaned[0].GraphicObjectSequence[0].GraphicType == "POINT"
    assert SECRET not in str(cleaned)


def test_references_point_to_the_same_new_uids_at_every_depth() -> None:
    image = items(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID="1.2.3.77")
    one = changed(patient(SOPInstanceUID="1.2.3.77"))
    other = changed(patient(ReferencedImageSequence=[image], RelatedFrameOfReferenceUID="1.2.3.77"))
    kept = other.ReferencedImageSequence[0]
    assert kept.ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert kept.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert changed(patient(SOPInstanceUID="1.2.3.77"), Option.RETAIN_UIDS).SOPInstanceUID == "1.2.3.77"


def test_private_unknown_and_repeating_groups_go_at_every_depth() -> None:
    dataset, item = patient(), Dataset()
    for level in (dataset, item):
        level.private_block(0x0099, "US", create=True).add_new(1, "LO", SECRET)
        for tag in (0x60003000, 0x500A2500, 0x00089999, 0x00100000):
            level[tag] = DataElement(tag, "UN", SECRET.encode() + b"\0")
    dataset.AnatomicRegionSequence = [item]
    dataset = changed(dataset)
    assert len(dataset.AnatomicRegionSequence[0]) == 0
    assert SECRET not in str(dataset)


def test_an_identifier_of_the_file_is_found_where_no_rule_looks() -> None:
    dataset = changed(
        patient(ManufacturerModelName="for ERIKA, A-1017", ConvolutionKernel="B30s", BodyPartExamined="HEAD")
    )
    assert dataset.ManufacturerModelName == "REMOVED"
    assert (dataset.ConvolutionKernel, dataset.BodyPartExamined) == ("B30s", "HEAD")


def test_without_patient_id_the_study_is_the_patient() -> None:
    one, other = changed(patient(PatientID="")), changed(patient(PatientID="", StudyInstanceUID="1.2.4"))
    assert one.PatientID != other.PatientID
    with pytest.raises(DicomError, match="neither Patient ID nor Study Instance UID"):
        subject_of(Dataset(), KEY)


def test_a_sequence_in_another_vr_is_refused_by_name() -> None:
    dataset = patient()
    dataset[0x00081140] = DataElement(0x00081140, "LO", "x")
    with pytest.raises(DicomError, match="0008,1140 must have VR SQ, got LO"):
        changed(dataset)


PLACES = (
    "PatientComments", "OtherPatientIDs", "InstitutionName", "PersonName", "TextValue", "StudyDescription", "OperatorsName",
    "RequestingPhysician", "AdditionalPatientHistory", "DeviceSerialNumber", "ContainerIdentifier",
)  # fmt: skip
NESTS = (
    "AnatomicRegionSequence", "ReferencedImageSequence", "RequestAttributesSequence", "SharedFunctionalGroupsSequence",
    "ContentSequence", "ConceptNameCodeSequence", "FrameContentSequence", "AcquisitionContextSequence",
)  # fmt: skip


def _leaf() -> st.SearchStrategy[Dataset]:
    def make(places: list[str], private: bool, unknown: bool) -> Dataset:
        dataset = items(**dict.fromkeys(places, SECRET))
        if private:
            dataset.private_block(0x0011, "US", create=True).add_new(1, "UN", SECRET.encode() + b"\0")
        if unknown:
            dataset[0x00080FF1] = DataElement(0x00080FF1, "UN", SECRET.encode() + b"\0")
        return dataset

    return st.builds(make, st.lists(st.sampled_from(PLACES), max_size=4), st.booleans(), st.booleans())


def _nested(inner: st.SearchStrategy[Dataset]) -> st.SearchStrategy[Dataset]:
    def make(dataset: Dataset, nest: str, private: bool, children: list[Dataset]) -> Dataset:
        tag = 0x00111005 if private else tag_for_keyword(nest)
        assert tag is not None
        if private:
            dataset.private_block(0x0011, "US", create=True)
        dataset[tag] = DataElement(tag, "SQ", Sequence(children))
        return dataset

    return st.builds(make, _leaf(), st.sampled_from(NESTS), st.booleans(), st.lists(inner, min_size=1, max_size=2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(_leaf(), _nested, max_leaves=6), st.sets(st.sampled_from(sorted(Option, key=str))), st.booleans())
def test_nothing_planted_comes_out_of_any_nest(dataset: Dataset, options: set[Option], implicit: bool) -> None:
    options -= {Option.CLEAN_PIXEL_DATA, Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_INSTITUTION_IDENTITY}
    dataset.PatientID, dataset.StudyInstanceUID = "A-1017", "1.2.3"
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=implicit, little_endian=True)
    read = dcmread(io.BytesIO(buffer.getvalue()), force=True)
    out = io.BytesIO()
    changed(read, *options).save_as(out, implicit_vr=implicit, little_endian=True)
    assert SECRET.encode() not in out.getvalue()
