"""Who a file is about: the pseudonym, the shift, and the strings that must not be left anywhere.

Belongs here: identifiers read from one data set before it is changed. Does not belong here: what is done where one is
found (``engine``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from pydicom import Dataset

from deidentification.dicom.defined_terms import DEFINED_TERMS
from deidentification.dicom.errors import DicomError
from deidentification.pseudonyms import pseudonymise
from deidentification.shift import shift_days

SHORTEST = 4
"""Characters below which a string is not searched: shorter ones occur by chance."""
_IDENTIFYING = frozenset({
    "PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "IssuerOfPatientID", "PatientAddress",
    "PatientBirthDate", "PatientTelephoneNumbers", "MedicalRecordLocator", "MilitaryRank", "PatientBirthName", "PatientMotherBirthName",
    "InsurancePlanIdentification", "RequestedProcedureID", "FillerOrderNumberImagingServiceRequest",
    "PlacerOrderNumberImagingServiceRequest", "InstitutionAddress",
})  # fmt: skip
_PUNCTUATION = re.compile(r"[\s^=,;/\\]+")


@dataclass(frozen=True)
class Subject:
    """The patient of one file.

    Parameters
    ----------
    pseudonym : str
        32 hexadecimal characters, equal to the table's for an equal identifier.
    days : int
        The patient's own shift.
    known : re.Pattern or None
        Finds the file's own identifiers and parts of names in text.
    whole : re.Pattern or None
        Finds whole identifiers and names only, for coded values that are a defined term as well as a part of a name.
    """

    pseudonym: str
    days: int
    known: re.Pattern[str] | None
    whole: re.Pattern[str] | None

    def told_by(self, code: str) -> bool:
        """Whether a coded value holds an identifier or a part of a name that is no term of the standard."""
        pattern = self.whole if code.strip() in DEFINED_TERMS else self.known
        return pattern is not None and pattern.search(code) is not None


def subject_of(dataset: Dataset, key: bytes) -> Subject:
    """Read the patient of a data set.

    A file without a Patient ID is held together by its study: the patient is then the Study Instance UID.

    Raises
    ------
    DicomError
        There is neither a Patient ID nor a Study Instance UID.
    ParameterError
        The key has fewer than 16 bytes.
    """
    identifier = patient_identifier(dataset)
    parts, wholes = set[str](), set[str]()
    for element in _elements(dataset):
        if element.VR == "PN" or element.keyword in _IDENTIFYING:
            values = _texts(element.value)
            wholes.update(values)
            if element.VR == "PN":
                parts.update(part for value in values for part in _PUNCTUATION.split(value))
    return Subject(pseudonym(identifier, key), shift_days(identifier, key), _pattern(wholes | parts), _pattern(wholes))


def patient_identifier(dataset: Dataset) -> str:
    """Patient ID without padding, else the study's UID."""
    identifier = str(dataset.get("PatientID") or "").strip(" \0")
    study = str(dataset.get("StudyInstanceUID") or "").strip(" \0")
    if not identifier and not study:
        raise DicomError(
            "the file must name its patient or study, got neither Patient ID nor Study Instance UID; mend it at the source"
        )
    return identifier or f"study:{study}"


def pseudonym(identifier: str, key: bytes) -> str:
    """The pseudonym that the patient's rows in tables have."""
    return pseudonymise(pl.Series([identifier]), key)[0]


def _elements(dataset: Dataset) -> Iterator:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _elements(item)
        elif not element.tag.is_private:
            yield element


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    return [text for item in values if item is not None and (text := str(item).strip(" \0^=")) and len(text)]  # type: ignore[union-attr]


def _pattern(strings: set[str]) -> re.Pattern[str] | None:
    """Any of the strings, whatever stands between their words, not inside a longer word or number."""
    forms = []
    for string in sorted(strings, key=len, reverse=True):
        words = [word for word in _PUNCTUATION.split(string) if word]
        if sum(map(len, words)) >= SHORTEST:
            form = r"[\s^=,;/\\]+".join(map(re.escape, words))
            forms.append(f"(?<!{_more_of(words[0][0])}){form}(?!{_more_of(words[-1][-1])})")
    return re.compile("|".join(forms), re.IGNORECASE) if forms else None


def _more_of(character: str) -> str:
    """Characters that would make a word or number longer: a number ends at a letter, as in ``MRN12345``."""
    return r"\d" if character.isdigit() else r"[^\W\d_]" if character.isalpha() else r"(?!)"
