"""What ``phaseiv deidentify`` finds at a place, and the key it works under.

Belongs here: telling tables, FHIR and DICOM apart, the hospital's or a project's key. Does not belong here: commands
(``cli_deidentify``), de-identification (``deidentification``).
"""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path

from orchestration.settings import Settings
from records.errors import ParameterError, StorageError
from records.reading import READERS

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
    from deidentification.key_register import REGISTER, hospital_key, register_key
    from deidentification.project_keys import import_key, project_key

    home = settings.workspace().home
    key = hospital_key(home, settings.pseudonym_key, today=today)
    if project is None and shared is not None:
        raise ParameterError("a shared key must come with the name of its project, got none; add --project")
    if project is None:
        return key
    derived = import_key(shared, project=project) if shared else project_key(key, project)
    register_key(home / REGISTER, derived, project, today=today)
    return derived


def note_scrubber(key: bytes) -> Callable[[str, str, Sequence[str]], str]:
    """Takes a note, its patient's identifier and what is known of the patient, gives the note without identifiers."""
    from deidentification.text.scrubbing import scrub

    return lambda note, patient, known: scrub(note, patient=patient, key=key, known=known).text


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
