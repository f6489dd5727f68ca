"""Series of a folder of DICOM files, labelled by a CSV beside them.

Belongs here: which files make a series, and ordinals for patients' studies and series. Does not belong here: pixels
(``dicom_planes``) and geometry (``dicom_stack``).

Layout: DICOM files (PS3.10) anywhere below the folder, and ``labels.csv`` whose column ``patient`` holds the Patient
ID and whose other columns are named as in the codebook. Masks are DICOM Segmentations below the folder.
"""

import logging
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from pydicom import Dataset, dcmread
from pydicom.config import disable_value_validation
from pydicom.errors import InvalidDicomError

from records.errors import StorageError
from records.images import Modality
from records.reading import read_table
from use_cases.images.codebook import ImageCohort
from use_cases.images.dicom_masks import Marks, masks_of
from use_cases.images.dicom_planes import Plane, planes_of
from use_cases.images.dicom_stack import stacked
from use_cases.images.report import SeriesError
from use_cases.images.volume import Series, Volume

LABELS = "labels.csv"
_GROUPED = [
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "StudyDate", "StudyTime", "SeriesNumber", "Modality", "Rows",
    "ImageType", "SeriesDescription", "BodyPartExamined", "RecognizableVisualFeatures",
    "DeidentificationMethodCodeSequence", "ReferencedSeriesSequence",
]  # fmt: skip
_MODALITIES = {Modality.CT: ("CT",), Modality.MR: ("MR",), Modality.DX: ("DX", "CR", "DR", "RG", "RF")}
_HEADS = ("HEAD", "BRAIN", "SKULL", "FACE", "ORBIT", "HEADNECK", "WHOLEBODY")
_FACES_CLEANED = "113102"  # Clean Recognizable Visual Features Option

_DAMAGE = (
    InvalidDicomError, OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError,
    NotImplementedError,
)  # fmt: skip


@dataclass(frozen=True)
class DicomSeries:
    """Files of one series with the header of the first, and of the segmentations that mark it."""

    paths: tuple[Path, ...]
    header: Dataset
    study: int
    series: int
    masks: tuple[Path, ...] = ()

    @property
    def patient(self) -> str:
        """The hospital's number of the patient."""
        return str(self.header.get("PatientID", ""))


def find(folder: Path, cohort: ImageCohort) -> Iterator[Series]:
    """Series of the cohort's modality and description, each with its patient's labels.

    Raises
    ------
    StorageError
        The folder or ``labels.csv`` is missing or cannot be read.
    """
    labels = labels_by_patient(folder / LABELS)
    for one in series_of(folder, cohort):
        yield as_series(one, partial(_read, one, labels.get(one.patient), cohort))


def as_series(one: DicomSeries, read: partial[Volume]) -> Series:
    """The series with what its header says of heads and faces."""
    header = one.header
    methods = header.get("DeidentificationMethodCodeSequence") or []
    cleaned = any(str(method.get("CodeValue", "")) == _FACES_CLEANED for method in methods)
    defaced = cleaned or str(header.get("RecognizableVisualFeatures", "")).upper() == "NO"
    head = str(header.get("BodyPartExamined", "")).upper().replace(" ", "") in _HEADS
    return Series(one.patient, one.study, one.series, read, head=head, defaced=defaced)


def _read(one: DicomSeries, values: Mapping[str, Any] | None, cohort: ImageCohort) -> Volume:
    if values is None:
        raise SeriesError("have its patient in labels.csv", "no such row", "add the row or drop the patient's files")
    planes = read_planes(one.paths, cohort)
    marks = read_masks(one.masks, planes, cohort) if cohort.image.mask and one.masks else None
    pixels, spacing, masks = stacked(planes, cohort.image.modality, marks)
    return Volume(pixels, spacing, masks, values=values, scaled=spacing[1] > 0)


def read_planes(paths: Iterable[Path], cohort: ImageCohort) -> list[Plane]:
    """All planes of the files.

    Raises
    ------
    SeriesError
        A file is damaged, in colour, or compressed in a way nobody here can read.
    """
    with quiet():
        return [plane for path in paths for plane in _planes(path, cohort)]


def _planes(path: Path, cohort: ImageCohort) -> list[Plane]:
    try:
        return planes_of(dcmread(path), cohort.image)
    except SeriesError:
        raise
    except _DAMAGE:
        # pydicom's message may quote a value
        raise SeriesError("have whole files", "a damaged one", "copy the series again") from None


def read_masks(paths: Iterable[Path], planes: Sequence[Plane], cohort: ImageCohort) -> Marks:
    """Masks of the planes from segmentations, see ``dicom_masks``."""
    try:
        with quiet():
            return masks_of((dcmread(path) for path in paths), planes, cohort.image)
    except SeriesError:
        raise
    except _DAMAGE:
        raise SeriesError("have whole segmentations", "a damaged one", "copy it again") from None


def labels_by_patient(path: Path) -> dict[str, dict[str, Any]]:
    """Row of labels and clinical values of each patient.

    Raises
    ------
    StorageError
        The file cannot be read, has no column ``patient``, or names a patient twice.
    """
    table = read_table(path)
    if "patient" not in table.columns or table["patient"].is_duplicated().any():
        raise StorageError(f"{path.name} must have a column patient that names each once; mend it")
    table = table.with_columns(pl.col("patient").cast(pl.String))
    return {row.pop("patient"): row for row in table.iter_rows(named=True)}


def series_of(folder: Path, cohort: ImageCohort) -> list[DicomSeries]:
    """Series of the cohort's modality and description, patients and studies in order; localizers left out.

    A damaged ``.dcm`` file whose patient cannot be known is a series of its own, without a patient.
    """
    if not folder.is_dir():
        raise StorageError(f"{folder.name} must be a folder, got none; give the folder of the images")
    wanted = re.compile(cohort.series_description or "", re.IGNORECASE)
    groups, damaged = _grouped(folder)
    found = [DicomSeries((path,), Dataset(), 0, number) for number, path in enumerate(damaged, start=1)]
    for studies in groups.values():
        for study, series in enumerate(sorted(studies.values(), key=_study_order), start=1):
            masks = _segmentations(series.values())
            for number, files in enumerate(sorted(series.values(), key=_series_order), start=1):
                header = files[0][1]
                if _wanted(header, cohort, wanted):
                    marks = (*masks[str(header.get("SeriesInstanceUID", ""))], *masks[""])
                    found.append(DicomSeries(tuple(path for path, _ in files), header, study, number, marks))
    return found


def _segmentations(series: Iterable[list[tuple[Path, Dataset]]]) -> dict[str, list[Path]]:
    """Files of segmentations by the series that they mark; those that name none may mark any of their study."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path, header in (entry for files in series for entry in files):
        if header.get("Modality") == "SEG":
            named = {str(one.SeriesInstanceUID) for one in header.get("ReferencedSeriesSequence") or []}
            for uid in named or {""}:
                found[uid].append(path)
    return found


def _wanted(header: Dataset, cohort: ImageCohort, description: re.Pattern[str]) -> bool:
    modality = str(header.get("Modality", "")) in _MODALITIES[cohort.image.modality]
    localizer = "LOCALIZER" in [str(value).upper() for value in header.get("ImageType") or []]
    return modality and not localizer and description.search(str(header.get("SeriesDescription", ""))) is not None


def _grouped(folder: Path) -> tuple[dict[str, dict[str, dict[str, list[tuple[Path, Dataset]]]]], list[Path]]:
    """Files with an image by patient, study and series; and damaged files."""
    groups: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    damaged = []
    with quiet():
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            header = _header(path)
            if header is None and path.suffix.lower() == ".dcm":
                damaged.append(path)
            if header is not None and header.get("Rows"):
                patient, study, series = (str(header.get(name, "")) for name in _GROUPED[:3])
                groups[patient][study][series].append((path, header))
    return groups, damaged


def _header(path: Path) -> Dataset | None:
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=_GROUPED)
        for _ in header:  # values are read only when asked for, and a damaged one must not break off the whole load
            pass
    except _DAMAGE:
        return None
    return header


def _study_order(series: Mapping[str, list[tuple[Path, Dataset]]]) -> tuple[str, str, str]:
    header = next(iter(series.values()))[0][1]
    return tuple(str(header.get(name, "")) for name in ("StudyDate", "StudyTime", "StudyInstanceUID"))  # type: ignore[return-value]


def _series_order(files: list[tuple[Path, Dataset]]) -> tuple[int, str]:
    header = files[0][1]
    number = header.get("SeriesNumber")
    return number if isinstance(number, int) else 0, str(header.get("SeriesInstanceUID", ""))


@contextmanager
def quiet() -> Iterator[None]:
    """Hold pydicom's warnings back: they quote values of patients."""
    logger = logging.getLogger("pydicom")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
