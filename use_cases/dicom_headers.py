"""A folder of DICOM files as a table: one row per patient (or study), of the attributes that a codebook names.

Belongs here: which attributes are read, one value per study, and one study per patient. Does not belong here: images
(``use_cases.images``), and files that are themselves to be handed out (``deidentification.dicom``).

A codebook's column names its attribute by keyword in ``source`` (``source: PatientAge``); keywords in ``filter`` choose
files (``Modality: CT``). What stands in the items of a sequence is named by its path
(``AnatomicRegionSequence.CodeMeaning``). Beside these and the patient, study and date that rows are told apart by, nothing is read.

References
----------
DICOM PS3.6 6 (registry of data elements), PS3.5 6.2 (value representations).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.uid import MediaStorageDirectoryStorage

from deidentification.dicom.errors import DicomError
from deidentification.dicom.walk import HEAD, elements
from records.errors import CodebookError, StorageError
from records.schema import Kind, Role
from use_cases.cohort import Cohort
from use_cases.images.dicom import quiet

PATIENT, STUDY, DAY = "PatientID", "StudyInstanceUID", "StudyDate"
_MAGIC = b"DICM"
_NUMBERS = ("DS", "FD", "FL", "IS", "SL", "SS", "UL", "US")
_TEXTS = ("CS", "LO", "SH")
_VALUES = (*_NUMBERS, *_TEXTS, "AS", "DA", "DT")
_IDS = (*_TEXTS, "UI")
_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}


@dataclass(frozen=True)
class HeadersRead:
    """A table whose columns are attributes' keywords, and counts of what was read, left out, and not of one value."""

    frame: pl.DataFrame
    files: Mapping[str, int]
    differing: Mapping[str, int]


def holds_dicom(folder: Path) -> bool:
    """Whether a folder holds a DICOM file at any depth."""
    return any(_is_dicom(path) for path in sorted(folder.rglob("*")) if path.is_file())


def read_headers(folder: Path, cohort: Cohort) -> HeadersRead:
    """The table of a folder of DICOM files.

    A patient's row is of the first study by date that has files in the codebook's filter. An attribute that differs between
    files of the study, or between items of a sequence, has the value of most of them, and of equally many the smallest. Ages
    are in years. A filter lets a file pass of which one item has the value.

    Parameters
    ----------
    folder : pathlib.Path
        Files (PS3.10) at any depth; others, and directories (DICOMDIR), are counted and left out.
    cohort : Cohort
        Its identifier comes from ``PatientID``, or from ``StudyInstanceUID`` if no patient has two studies
        and nobody may have opted out: objections are recorded by patient.

    Raises
    ------
    CodebookError
        A column's source is no single attribute of text, code, number, age or date, or the identifier is another.
    StorageError
        A file breaks off or names no patient or study, no file is left, or studies are no patients.
    """
    unit, keywords = _unit(cohort), _keywords(cohort)
    studies, files = _studies(folder, keywords, cohort.filter)
    if not studies:
        raise StorageError(
            f"{folder.name} must hold DICOM files in the codebook's filter, got none; mend the path or the filter"
        )
    chosen = _one_per_patient(studies)
    if unit == STUDY and len(chosen) < len(studies):
        raise StorageError(
            f"{folder.name} must have one study per patient where a study is the row, got {len(studies) - len(chosen)} "
            f"more; take {PATIENT} for the identifier: privacy protects patients"
        )
    differing = Counter[str]()
    rows = [{keyword: _most(keyword, headers, differing) for keyword in keywords} for headers in chosen]
    files["of_later_studies"] = sum(map(len, studies.values())) - sum(map(len, chosen))
    dtypes = {keyword: pl.Float64() if _numeric(keyword) else pl.String() for keyword in keywords}
    frame = pl.DataFrame(rows, schema=dtypes).with_columns(_whole_years(cohort)).sort(unit)
    return HeadersRead(frame, dict(files), dict(differing))


def _unit(cohort: Cohort) -> str:
    source = cohort.table.identifier.source if cohort.table.identifier else None
    if source not in (PATIENT, STUDY):
        raise CodebookError(
            f"{cohort.name} must take its identifier from {PATIENT} or {STUDY} to be read from DICOM files, got "
            f"{source or 'none'}; name it as the column's source"
        )
    return source


def _keywords(cohort: Cohort) -> list[str]:
    """Attributes to read, each once."""
    named = {column.source: _IDS if column.role is Role.IDENTIFIER else _VALUES for column in cohort.table.columns}
    named = {keyword: allowed for keyword, allowed in named.items() if keyword} | dict.fromkeys(cohort.filter, _TEXTS)
    for keyword, allowed in named.items():
        *sequences, last = keyword.split(".")
        if not all(_has(name, ("SQ",)) for name in sequences) or not _has(last, allowed, most="1"):
            raise CodebookError(
                f"{cohort.name} must name single attributes of DICOM (text, code, number, age or date) by keyword, got "
                f"{keyword}; mend the source or filter, for instance PatientAge, or in a sequence ViewCodeSequence.CodeMeaning"
            )
    return list(named)


def _has(keyword: str, allowed: Sequence[str], most: str | None = None) -> bool:
    """Whether it is an attribute of one of these representations, and of this multiplicity."""
    tag = tag_for_keyword(keyword)
    return tag is not None and dictionary_VR(tag) in allowed and most in (None, dictionary_VM(tag))


def _studies(
    folder: Path, keywords: Sequence[str], wanted: Mapping[str, str]
) -> tuple[dict[tuple[str, str], list[Dataset]], Counter[str]]:
    """Headers of the files by patient and study, and counts of files."""
    studies, files = defaultdict(list), Counter[str]()
    for place, header in _headers(folder, keywords, files):
        if any(value not in list(_values(keyword, header)) for keyword, value in wanted.items()):
            files["outside_the_filter"] += 1
            continue
        patient, study = (str(header.get(keyword) or "").strip(" \0") for keyword in (PATIENT, STUDY))
        if not study or not patient:
            raise StorageError(
                f"{folder.name} must name patient and study in each DICOM file, got one without, {place}; mend it at "
                "the source or leave it out"
            )
        files["read"] += 1
        studies[patient, study].append(header)
    return studies, files


def _headers(folder: Path, keywords: Sequence[str], files: Counter[str]) -> Iterator[tuple[str, Dataset]]:
    """The named attributes of each DICOM file and its place. A file is told by its number, since its name may be a
    patient's."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(paths, 1):
        if not _is_dicom(path):
            files["not_dicom"] += 1
            continue
        place, header = f"number {number} of {len(paths)} by name", _header(path.read_bytes(), keywords)
        if header is None:
            raise StorageError(
                f"{folder.name} must hold whole DICOM files, got a damaged one, {place}; copy it again or leave it out"
            )
        if header.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            files["directories"] += 1
        else:
            yield place, header


def _header(data: bytes, keywords: Sequence[str]) -> Any:
    """The attributes, their values decoded; None for a damaged file."""
    try:
        for _ in elements(data):  # pydicom takes a file that breaks off for one that has no more
            pass
        with quiet():
            outer = [keyword.split(".")[0] for keyword in keywords]
            header = dcmread(BytesIO(data), stop_before_pixels=True, specific_tags=[PATIENT, STUDY, DAY, *outer])
            for keyword in (PATIENT, STUDY, DAY, *keywords):
                for _ in _values(keyword, header):
                    pass
    except (DicomError, OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
        return None
    return header


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(HEAD).endswith(_MAGIC)


def _one_per_patient(studies: Mapping[tuple[str, str], list[Dataset]]) -> list[list[Dataset]]:
    """The first study of each patient: by its earliest day, without a day last, then by UID."""

    def order(key: tuple[str, str]) -> tuple[str, str, str]:
        days = [day for header in studies[key] for day in _values(DAY, header)]
        return key[0], min(days, default="~"), key[1]

    first = {}
    for key in sorted(studies, key=order):
        first.setdefault(key[0], studies[key])
    return list(first.values())


def _most(keyword: str, headers: Sequence[Dataset], differing: Counter[str]) -> Any:
    """The value of most files and items; of values as frequent the smallest."""
    found = Counter(value for header in headers for value in _values(keyword, header))
    if len(found) > 1:
        differing[keyword] += 1
    return min(found, key=lambda value: (-found[value], value), default=None)


def _numeric(keyword: str) -> bool:
    return dictionary_VR(_last(keyword)) in (*_NUMBERS, "AS")


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def _values(path: str, header: Dataset) -> Iterator[Any]:
    """What a header says, in each item of the path's sequences; nothing where it is empty or of another form."""
    first, _, rest = path.partition(".")
    if rest:
        for item in header.get(first) or ():
            yield from _values(rest, item)
    elif (value := _value(first, header)) is not None:
        yield value


def _value(keyword: str, header: Dataset) -> Any:
    """A number, years of an age, a day (ISO 8601) or text without padding; None if it is empty or of another form."""
    vr, value = dictionary_VR(keyword), header.get(keyword)
    text = "" if value is None else str(value).strip(" \0")
    if not text:
        return None
    if vr == "AS":
        return _years(text)
    if vr in ("DA", "DT"):
        digits = text.replace(".", "")[:8]  # ACR-NEMA wrote 1997.04.24
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    if vr not in _NUMBERS:
        return text
    try:
        return float(text)
    except ValueError:
        return None


def _years(text: str) -> float | None:
    number, unit = text[:-1], text[-1].upper()
    return int(number) / _PER_YEAR[unit] if number.isdigit() and unit in _PER_YEAR else None


def _whole_years(cohort: Cohort) -> list[pl.Expr]:
    """Ages in columns of whole numbers are completed years."""
    ages = {c.source for c in cohort.table.columns if c.kind is Kind.INTEGER and c.source}
    return [pl.col(keyword).floor() for keyword in sorted(ages) if dictionary_VR(_last(keyword)) == "AS"]
