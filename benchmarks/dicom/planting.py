"""24 strings planted where identifiers hide, in copies of real test files.

Belongs here: where and how. Does not belong here: looking for them afterwards.
"""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom import DataElement, Dataset
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file
from pydicom.uid import UID as UID_
from pydicom.uid import ExplicitVRLittleEndian

from deidentification.dicom.errors import DicomError
from deidentification.dicom.files import deidentify_file

COUNT = 24
UID = "1.2.826.0.1.3680043.8.498.987654321.24"
STRINGS = (*(f"PLANT{number:02d}QZ" for number in range(1, COUNT)), UID)
_NAMES = {
    1: "PatientName", 2: "PatientID", 3: "OtherPatientNames", 4: "PatientComments", 5: "ImageComments",
    6: "StudyDescription", 7: "ReferringPhysicianName", 8: "InstitutionName", 9: "StationName", 10: "AccessionNumber",
    11: "PatientAddress", 12: "RequestAttributesSequence/ScheduledProcedureStepDescription",
    13: "AnatomicRegionSequence/AnatomicRegionModifierSequence/PatientName",
    14: "ViewCodeSequence/OperatorsName (an item of a sequence that stays)",
    15: "private element", 16: "name in an item of a private sequence", 17: "overlay data", 18: "overlay label",
    19: "curve data", 20: "unknown VR, public tag", 21: "unknown VR, private items", 22: "patient's name in a model name",
    23: "private information of the file meta", 24: "UID of an instance, two sequences deep",
}  # fmt: skip


def places() -> list[str]:
    """What each string was planted in, in order."""
    return [_NAMES[number] for number in range(1, COUNT + 1)]


def example_files() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the DICOM files in pydicom's package that can be de-identified at all."""
    folder = Path(get_testdata_file("CT_small.dcm", download=False)).parent  # type: ignore[arg-type]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        try:
            deidentify_file(data, key=bytes(32), options=frozenset(), allow_burned_in=True)
        except DicomError:
            continue
        yield path.relative_to(folder).as_posix(), data


def planted(data: bytes) -> bytes:
    """A copy of a file with all strings planted; in explicit VR if it was uncompressed and implicit."""
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(data))
        if dataset.file_meta.TransferSyntaxUID.is_implicit_VR:
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian  # VR UN exists there only
        _plant_attributes(dataset)
        _plant_items(dataset)
        _plant_groups(dataset)
        dataset.file_meta.PrivateInformationCreatorUID = UID_("1.2.3")
        dataset.file_meta.PrivateInformation = STRINGS[22].encode() + b"\0"
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _plant_attributes(dataset: Dataset) -> None:
    for number in range(1, 12):
        setattr(dataset, _NAMES[number], STRINGS[number - 1])
    dataset.PatientName = f"{STRINGS[0]}^{STRINGS[21]}"
    dataset.ManufacturerModelName = f"scan of {STRINGS[21]}"


def _plant_items(dataset: Dataset) -> None:
    request, region, modifier, view, instance, outer = (Dataset() for _ in range(6))
    request.ScheduledProcedureStepDescription = STRINGS[11]
    modifier.PatientName = STRINGS[12]
    region.AnatomicRegionModifierSequence = [modifier]
    view.OperatorsName = STRINGS[13]
    instance.ReferencedSOPInstanceUID = UID
    outer.PurposeOfReferenceCodeSequence = [instance]
    dataset.RequestAttributesSequence, dataset.AnatomicRegionSequence = [request], [region]
    dataset.ViewCodeSequence, dataset.SourceImageSequence = [view], [outer]


def _plant_groups(dataset: Dataset) -> None:
    block = dataset.private_block(0x0099, "PLANTS", create=True)
    block.add_new(0x01, "LO", STRINGS[14])
    item = Dataset()
    item.PatientName = STRINGS[15]
    block.add_new(0x02, "SQ", [item])
    block.add_new(0x03, "UN", _hidden_item(STRINGS[20]))
    little = dataset.file_meta.TransferSyntaxUID.is_little_endian
    for tag, vr, value in (
        (0x60F03000, "OB" if little else "OW", STRINGS[16].encode() + b"\0"), (0x60F01500, "LO", STRINGS[17]),
        (0x50F03000, "OB" if little else "OW", STRINGS[18].encode() + b"\0"),
        (0x00102180, "UN", STRINGS[19].encode() + b"\0"),
    ):  # fmt: skip
        dataset[tag] = DataElement(tag, vr, value)


def _hidden_item(text: str) -> bytes:
    """An item with a patient's name in implicit VR, as a value of unknown VR."""
    value = text.encode() + b"\0"
    name = b"\x10\x00\x10\x00" + len(value).to_bytes(4, "little") + value
    return b"\xfe\xff\x00\xe0" + len(name).to_bytes(4, "little") + name
