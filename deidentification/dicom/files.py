"""One DICOM file in, one de-identified DICOM file out, as bytes.

Belongs here: reading, refusing, file meta, provenance attributes, writing. Does not belong here: folders (``folder``),
attributes (``engine``), pixels (``pixels``).

References
----------
DICOM PS3.10 7.1 (File Meta Information); PS3.15 E.1.1 (De-identifier).
"""

import io
import warnings
from dataclasses import dataclass

import polars as pl
import pydicom
from pydicom import Dataset, FileDataset
from pydicom._uid_dict import UID_dictionary
from pydicom.charset import python_encoding
from pydicom.config import disable_value_validation
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from deidentification.dicom.burned_in import burned_in_risk
from deidentification.dicom.codestream import without_comments
from deidentification.dicom.embedded import without_embedded_overlays, without_excess
from deidentification.dicom.engine import Changes, Engine
from deidentification.dicom.errors import DicomError, OptedOutError
from deidentification.dicom.identity import patient_identifier, subject_of
from deidentification.dicom.options import BASIC, FACES_CLEANED, Option, method_codes
from deidentification.dicom.profile import EDITION
from deidentification.dicom.walk import elements
from deidentification.opt_out import Objectors

DIRECTORY = "1.2.840.10008.1.3.10"
IMPLEMENTATION_UID = UID("2.25.329800735698586629295641978511506172918")
_NAMED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True)
class DeidentifiedFile:
    """What came of one file.

    Parameters
    ----------
    data : bytes
        The new file.
    changes : Changes
        Elements removed, emptied and replaced, by tag.
    patient, study, series : str
        The new identifiers, which name the folders.
    """

    data: bytes
    changes: Changes
    patient: str
    study: str
    series: str


def deidentify_file(
    data: bytes,
    *,
    key: bytes,
    options: frozenset[Option],
    allow_burned_in: bool = False,
    objectors: Objectors | None = None,
) -> DeidentifiedFile:
    """De-identify one file.

    Parameters
    ----------
    data : bytes
        A DICOM file (PS3.10).
    key : bytes
        The hospital's pseudonym key, at least 16 bytes.
    options : frozenset of Option
        Beside the Basic Profile.
    allow_burned_in : bool
        Let images through that are likely to carry burned-in text though their pixels are not cleaned.
    objectors : Objectors or None
        Patients to leave out.

    Raises
    ------
    OptedOutError
        The file is of one of the objectors.
    DicomError
        The file is damaged, is of an unknown transfer syntax or character set, lacks a UID, is likely to carry
        burned-in text, or names no patient who could have objected.
    ParameterError
        The key is too short, or pixels are to be cleaned and the extra ``ocr`` is not installed.
    """
    for _ in elements(data):  # a file that breaks off is refused before anything is read from it
        pass
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        dataset = _read(data)
        _leave_out(dataset, objectors)
        _refuse(dataset, options, allow_burned_in)
        subject = subject_of(dataset, key)
        _clean_pixels(dataset, options)
        engine = Engine(key, options, subject)
        engine.apply(dataset)
        _say_so(dataset, options)
        written = _written(dataset)
    return DeidentifiedFile(
        written, engine.changes, subject.pseudonym, str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID)
    )


def _read(data: bytes) -> FileDataset:
    try:
        return pydicom.dcmread(io.BytesIO(data))
    except Exception as error:
        # A stranger's file breaks pydicom in ways it does not list, and its message could quote the file.
        raise DicomError(f"the file must be readable, got a {type(error).__name__}; copy it again") from error


def _leave_out(dataset: FileDataset, objectors: Objectors | None) -> None:
    if objectors is None:
        return
    if not str(dataset.get("PatientID") or "").strip(" \0"):
        raise DicomError(
            "the file must name its patient to know who opted out, got no Patient ID; mend it at the source"
        )
    if objectors.among(pl.Series([patient_identifier(dataset)])).item():
        raise OptedOutError("the patient must not have opted out, got one who has; the file is left out")


def _refuse(dataset: FileDataset, options: frozenset[Option], allow_burned_in: bool) -> None:
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "")
    if syntax not in UID_dictionary or UID_dictionary[syntax][1] != "Transfer Syntax":
        raise DicomError("the transfer syntax must be one of DICOM PS3.5, got another or none; convert the file")
    if DIRECTORY in (dataset.get("SOPClassUID"), dataset.file_meta.get("MediaStorageSOPClassUID")):
        raise DicomError("the file must be an instance, got a DICOMDIR; it lists files by name and is left out")
    if missing := [name for name in _NAMED if not str(dataset.get(name) or "").strip()]:
        raise DicomError(f"the file must have all UIDs, got none in {', '.join(missing)}; mend it at the source")
    sets = dataset.get("SpecificCharacterSet") or ""
    for term in [sets] if isinstance(sets, str) else sets:
        if term and term not in python_encoding:
            raise DicomError("the character set must be a defined term, got another; mend the file at the source")
    risk = burned_in_risk(dataset)
    if risk and Option.CLEAN_PIXEL_DATA not in options and not allow_burned_in:
        raise DicomError(
            f"the pixels must be cleaned where text is likely in them, got {risk} without the option "
            f"{Option.CLEAN_PIXEL_DATA.value}; turn it on, or allow such images after looking at them"
        )


def _clean_pixels(dataset: FileDataset, options: frozenset[Option]) -> None:
    if Option.CLEAN_PIXEL_DATA in options and ("FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset):
        raise DicomError("pixels must be integers to be cleaned, got floating point; leave the file or the option out")
    if "PixelData" not in dataset:
        return
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        dataset["PixelData"].value = without_comments(dataset.PixelData)
    without_excess(dataset)
    without_embedded_overlays(dataset)
    if Option.CLEAN_PIXEL_DATA in options:
        from deidentification.dicom.pixels import clean_pixels

        clean_pixels(dataset)


def _say_so(dataset: Dataset, options: frozenset[Option]) -> None:
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = [f"DICOM PS3.15 {EDITION}", BASIC[1]]
    before = dataset.get("DeidentificationMethodCodeSequence") or []
    cleaned_faces = any(item.get("CodeValue") == FACES_CLEANED[0] for item in before)  # stays true, and is not ours
    dataset.DeidentificationMethodCodeSequence = method_codes(options, cleaned_faces=cleaned_faces)
    dated = Option.RETAIN_MODIFIED_DATES in options
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if dated else "REMOVED"


def _written(dataset: FileDataset) -> bytes:
    """The file with new file meta and an empty preamble: both may hold what the data set no longer does."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID, meta.ImplementationVersionName = IMPLEMENTATION_UID, "PHASEIV"
    dataset.file_meta, dataset.preamble = meta, bytes(128)
    buffer = io.BytesIO()
    try:
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    except Exception as error:  # an encoder's message could quote the value that it cannot write
        raise DicomError(f"the file must be writable, got a {type(error).__name__}; mend it at the source") from error
    return buffer.getvalue()
