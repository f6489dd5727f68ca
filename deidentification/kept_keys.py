"""The hospital's keys of before, kept as long as something is under them, and rotation of its key and of projects' keys.

Belongs here: key files of a home folder beside the key in use. Does not belong here: the register (``key_register``),
or what is under a key: tables are moved by ``key_register.rekeyed``, objections by ``opt_out_keys``.

A retired key lies in ``retired_keys`` under its fingerprint, readable by its owner only. A project keeps its key when the
hospital's is rotated, since that can be derived as long as the retired one is kept.

References
----------
NIST SP 800-57 Part 1 Rev. 5, sections 5.3.4 (cryptoperiods) and 8.3.1 (archive and destruction of keys).
"""

import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from deidentification.key_register import (
    HOSPITAL,
    REGISTER,
    RETIRED,
    KeyEntry,
    changing,
    hospital_key,
    key_in_use,
    mark_removed,
    read_register,
    register_key,
    replace_lost,
    rotate,
)
from deidentification.opt_out import ever_objecting
from deidentification.opt_out import read_register as read_opt_outs
from deidentification.project_keys import fingerprint, project_key, refuse_other_key
from deidentification.pseudonyms import NEW_KEY_BYTES, PSEUDONYM_CHARACTERS, key_from_text, load_key
from records.errors import ParameterError, StorageError
from records.files import write_atomically

KEY_FILE = "pseudonym.key"


@dataclass(frozen=True)
class HospitalKeys:
    """A home's key in use and, newest first, those of before that are here: one that should be kept and is not stops only
    what needs it."""

    home: Path
    current: bytes
    here: tuple[bytes, ...]

    @classmethod
    def of(cls, home: Path, environment: str | None, *, today: date) -> "HospitalKeys":
        """The keys of a home.

        Raises
        ------
        ParameterError, StorageError
            As ``hospital_key``; a retired key can be read by others.
        """
        current = hospital_key(home, environment, today=today)
        return cls(home, current, tuple(key for entry in _retired(home) if (key := _held(home, entry)) is not None))

    @property
    def former(self) -> tuple[bytes, ...]:
        """``former_keys``: all of them, as who opted out must be looked for under each."""
        return former_keys(self.home)

    def project(self, project: str, *, today: date) -> bytes:
        """The key that a project uses, which on first use is derived from the key of today.

        Raises
        ------
        ParameterError
            The project's key in use comes from none of these: it was shared by another hospital, or is lost.
        """
        used = key_in_use(self.home / REGISTER, project)
        if used is not None and (key := self.derived(used)) is not None:
            return key
        key = project_key(self.current, project, _generation(self.home, used, project))
        register_key(self.home / REGISTER, key, project, today=today)
        return key

    def derived(self, entry: KeyEntry) -> bytes | None:
        """A project's key of now or before, if it comes from a key that is kept."""
        number = _generation(self.home, entry, entry.project)
        made = (project_key(key, entry.project, number) for key in (self.current, *self.here))
        return next((key for key in made if fingerprint(key) == entry.fingerprint), None)

    def held(self, entry: KeyEntry) -> bytes | None:
        """The key of an entry, the hospital's or a project's, if it is there."""
        if entry.project != HOSPITAL:
            return self.derived(entry)
        return next((key for key in (self.current, *self.here) if fingerprint(key) == entry.fingerprint), None)


def former_keys(home: Path) -> tuple[bytes, ...]:
    """The hospital's retired keys that are kept, newest first.

    Raises
    ------
    StorageError
        One that was not removed is not there or is another: objections under it would be passed over.
    """
    return tuple(_kept(home, entry) for entry in _retired(home))


def rotate_hospital(home: Path, environment: str | None, *, old: bytes | None, today: date) -> KeyEntry:
    """Give the hospital a new key and keep the one of before.

    Parameters
    ----------
    old : bytes or None
        The key of before, where its successor is in place already; otherwise a new one is made in its place.

    Raises
    ------
    ParameterError
        The old key is not the one in use; the key comes from the environment, which only its owner can change.
    StorageError
        A key cannot be written. After this and any other failure the key in place is the one that the register names.
    """
    with changing(home / REGISTER):
        if old is not None:
            return _succeeded(home, environment, old, today)
        if environment is not None:
            raise ParameterError(
                "a key from the environment must be replaced by its owner, got no old key beside it; set the new one in "
                "PHASEIV_PSEUDONYM_KEY and name a file with the old one by --old"
            )
        return _renewed(home, today)


def _succeeded(home: Path, environment: str | None, old: bytes, today: date) -> KeyEntry:
    new, used = load_key(home / KEY_FILE, environment), key_in_use(home / REGISTER, HOSPITAL)
    refuse_other_key(old, used.fingerprint if used else "of no key", what="this home so far")
    keep(home, old)
    return rotate(home / REGISTER, old, new, HOSPITAL, today=today)


def _renewed(home: Path, today: date) -> KeyEntry:
    place = home / KEY_FILE
    old, new = hospital_key(home, None, today=today), secrets.token_bytes(NEW_KEY_BYTES)
    keep(home, old)
    try:
        write_atomically(place, new)
        return rotate(home / REGISTER, old, new, HOSPITAL, today=today)
    except BaseException:  # whatever it was, also an interruption: the key must be the one that the register names
        if (used := key_in_use(home / REGISTER, HOSPITAL)) is None or used.fingerprint != fingerprint(new):
            write_atomically(place, old)
        raise


def replace_lost_hospital(home: Path, environment: str | None, lost: str, *, opted_out: Path, today: date) -> KeyEntry:
    """Go on with the key that is in place though the one of before, named by its fingerprint, is lost.

    Raises
    ------
    ParameterError
        ``lost`` is not the key in use, or objections were recorded, for any day, that the new key cannot match.
    """
    if opted_out.exists():
        objections = sum(len(p) == PSEUDONYM_CHARACTERS for p in ever_objecting(read_opt_outs(opted_out)))
        if objections:
            raise ParameterError(
                f"{opted_out.name} must hold no objections under a lost key, got {objections}; move it away, replace the key, "
                "and record these objections anew before the next run"
            )
    with changing(home / REGISTER):
        return replace_lost(home / REGISTER, lost, load_key(home / KEY_FILE, environment), HOSPITAL, today=today)


def rotate_project(
    keys: HospitalKeys, project: str, *, shared: bytes | None = None, lost: str = "", today: date
) -> KeyEntry:
    """Give a project its next key: derived from the hospital's, or the one that another hospital shared.

    Parameters
    ----------
    lost : str
        Fingerprint of the key in use, if that is neither derived from a kept key nor replaced by a shared one.

    Raises
    ------
    ParameterError
        The project has no key yet; its key is a shared or lost one and neither ``shared`` nor ``lost`` is given; or ``lost``
        is another key, or one that is not lost.
    """
    path = keys.home / REGISTER
    with changing(path):
        used = key_in_use(path, project)
        if used is None:
            raise ParameterError(f"{project} must have a key to be rotated, got none; it gets one on first use")
        old = keys.derived(used)
        if lost and (old is not None or lost != used.fingerprint):
            raise ParameterError(
                f"a lost key must be the one in use of {project} and not be here, got {lost}; `phaseiv keys list` tells which it is, "
                "and one that is here is rotated without --lost"
            )
        if old is None and shared is None and not lost:
            raise ParameterError(
                f"the key of {project} must come from a kept key, got a shared or lost one; name the new shared key, or replace "
                f"it by --lost {used.fingerprint}"
            )
        number = sum(entry.project == project for entry in read_register(path)) + 1
        new = shared or project_key(keys.current, project, number)
        if old is None:
            return replace_lost(path, used.fingerprint, new, project, today=today)
        return rotate(path, old, new, project, today=today)


def remove(keys: HospitalKeys, name: str, *, today: date) -> None:
    """Destroy a retired key of the hospital, named by its fingerprint, or enter that it is lost; objections must be carried
    over before.

    Raises
    ------
    ParameterError
        As ``removable``.
    """
    with changing(keys.home / REGISTER):
        entry = removable(keys, name)
        mark_removed(keys.home / REGISTER, entry, today=today)
    if keys.held(entry) is not None:
        _file(keys.home, name).unlink()


def removable(keys: HospitalKeys, name: str) -> KeyEntry:
    """The entry of a retired key that nothing needs, be it here or lost.

    Raises
    ------
    ParameterError
        It is no kept key of the hospital, or a project's key in use comes from it.
    """
    entries = read_register(keys.home / REGISTER)
    found = next((e for e in entries if (e.project, e.fingerprint) == (HOSPITAL, name)), None)
    if found is None or found.retired is None or found.removed is not None:
        raise ParameterError(
            f"a key to remove must be a retired one of the hospital that is kept, got {name}; `phaseiv keys list` tells which"
        )
    rest = HospitalKeys(keys.home, keys.current, tuple(key for key in keys.here if fingerprint(key) != name))
    used = [e for e in entries if e.project != HOSPITAL and e.retired is None]
    if needing := [e.project for e in used if keys.derived(e) is not None and rest.derived(e) is None]:
        raise ParameterError(
            f"a key to remove must be in no use, got the keys of {', '.join(needing)} derived from it; rotate these first"
        )
    return found


def key_of_file(home: Path, path: Path) -> bytes:
    """The key in a file, its bytes as they stand, or in the text form of the environment if only that is the key in use.

    Raises
    ------
    StorageError
        The file cannot be read.
    """
    used = key_in_use(home / REGISTER, HOSPITAL)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path.name} must be a readable key file, got {error.strerror}; mend the path") from error
    if used is None or used.fingerprint == fingerprint(data):
        return data
    return key_from_text(data.decode(errors="replace"))


def keep(home: Path, key: bytes) -> None:
    """Write a key beside the one in use, whole and private.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    write_atomically(_file(home, fingerprint(key)), key)  # its temporary file is born with mode 0600


def _retired(home: Path) -> list[KeyEntry]:
    """The hospital's keys of before that were not removed, newest first."""
    entries = read_register(home / REGISTER)
    return [e for e in reversed(entries) if e.project == HOSPITAL and e.retired and not e.removed]


def _kept(home: Path, entry: KeyEntry) -> bytes:
    if (key := _held(home, entry)) is None:
        raise StorageError(
            f"the retired key {entry.fingerprint} must be in {RETIRED} until it is removed (`phaseiv keys remove`), got none or "
            "another; put it back: objections recorded under it would be passed over. If it is lost, remove it"
        )
    return key


def _held(home: Path, entry: KeyEntry) -> bytes | None:
    """A retired key, if its file is there and whole."""
    path = _file(home, entry.fingerprint)
    try:
        key = load_key(path) if path.exists() else b""
    except ParameterError:  # too short to be one
        return None
    return key if fingerprint(key) == entry.fingerprint else None


def _file(home: Path, name: str) -> Path:
    return home / RETIRED / f"{name}.key"


def _generation(home: Path, entry: KeyEntry | None, project: str) -> int:
    """Place of a key among its project's, from 1."""
    entries = [e for e in read_register(home / REGISTER) if e.project == project]
    return entries.index(entry) + 1 if entry in entries else len(entries) + 1
