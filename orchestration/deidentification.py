"""What ``phaseiv deidentify`` finds at a place, and the key it works under.

Belongs here: telling tables, FHIR and DICOM apart, the hospital's or a project's key. Does not belong here: commands
(``cli_deidentify``), de-identification (``deidentification``).
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.settings import Settings
from records.errors import ParameterError, StorageError
from records.reading import READERS

if TYPE_CHECKING:
    from deidentification.kept_keys import HospitalKeys
    from deidentification.opt_out import OptOuts

_PREAMBLE, _MAGIC = 128, b"DICM"  # DICOM PS3.10 section 7.1


class Kind(StrEnum):
    """What lies at a place."""

    TABLE = "table"
    FHIR = "fhir"
    DICOM = "dicom"


def kind_of(source: Path) -> Kind:
    """Told by the file's name, or by the first file of a folder that tells.

    Raises
    ------
    StorageError
        There is nothing, or nothing of a known kind.
    """
    if not source.exists():
        raise StorageError(f"the source must exist, got {source.name}; mend the path")
    files = [source] if source.is_file() else (path for path in sorted(source.rglob("*")) if path.is_file())
    found = next((kind for path in files if (kind := _kind(path, source)) is not None), None)
    if found is None:
        raise StorageError(
            f"{source.name} must be a table ({', '.join(READERS)}), FHIR (.json, .ndjson) or a folder of DICOM files, "
            "got none of these; name another source"
        )
    return found


def _kind(path: Path, source: Path) -> Kind | None:
    if path.name.endswith(READERS):
        return Kind.TABLE if path == source else None
    if path.suffix in (".json", ".ndjson"):
        return Kind.FHIR
    with path.open("rb") as file:
        named = path.suffix.lower() == ".dcm"
        return Kind.DICOM if named or file.read(_PREAMBLE + len(_MAGIC)).endswith(_MAGIC) else None


def key_of(settings: Settings, project: str | None, *, today: date, shared: Path | None = None) -> bytes:
    """The hospital's pseudonym key, or the project's, which is entered in the key register on first use.

    Parameters
    ----------
    shared : Path or None
        The project's key as another hospital exported it, in place of the own one.

    Raises
    ------
    ParameterError
        The register has another key: the hospital's was lost or changed, or the project began with its own.
    StorageError
        The shared key is missing or damaged.
    """
    from deidentification.key_register import REGISTER, register_key
    from deidentification.project_keys import import_key

    keys = hospital_keys(settings, today=today)
    if project is None and shared is not None:
        raise ParameterError("a shared key must come with the name of its project, got none; add --project")
    if project is None:
        return keys.current
    if shared is None:
        return keys.project(project, today=today)
    key = import_key(shared, project=project)
    register_key(keys.home / REGISTER, key, project, today=today)
    return key


def hospital_keys(settings: Settings, *, today: date) -> "HospitalKeys":
    """The hospital's key in use and the kept ones of before.

    Raises
    ------
    ParameterError, StorageError
        As ``HospitalKeys.of``.
    """
    from deidentification.kept_keys import HospitalKeys

    return HospitalKeys.of(settings.workspace().home, settings.pseudonym_key, today=today)


def opt_outs_of(settings: Settings, register: Path | None, permit_date: datetime | None) -> "OptOuts | None":
    """Whom a run leaves out, if it names a register and the permit's date.

    Raises
    ------
    ParameterError
        One of the two is missing, or as ``hospital_keys``.
    """
    from deidentification.opt_out import OptOuts
    from deidentification.pseudonyms import key_from_text

    if register is None and permit_date is not None:
        raise ParameterError("a permit's date must come with the register of opt-outs, got none; add --opt-out")
    if register is None:
        return None
    if permit_date is None:
        raise ParameterError("a register of opt-outs must come with the permit's date, got none; add --permit-date")
    keys = hospital_keys(settings, today=date.today())
    hub_key = key_from_text(settings.opt_out_key) if settings.opt_out_key else None
    return OptOuts(register, permit_date.date(), keys.current, hub_key, keys.former)


class NoteScrubber:
    """Takes a note, its patient's identifier and what is known of the patient, gives the note without identifiers.

    ``foreign`` counts notes that seem to be in none of the languages.
    """

    def __init__(self, key: bytes) -> None:
        self.foreign = 0
        self._key = key

    def __call__(self, note: str, patient: str, known: Sequence[str]) -> str:
        from deidentification.text.foreign import is_foreign
        from deidentification.text.scrubbing import scrub

        self.foreign += is_foreign(note)
        return scrub(note, patient=patient, key=self._key, known=known).text


def chosen_options(names: list[str]) -> frozenset:
    """Options of the DICOM profile by name.

    Raises
    ------
    ParameterError
        A name is unknown.
    """
    from deidentification.dicom.options import Option

    known = [option.value for option in Option]
    if unknown := [name for name in names if name not in known]:
        raise ParameterError(f"an option must be one of {', '.join(known)}, got {unknown[0]}; choose one of these")
    return frozenset(Option(name) for name in names)
