"""Which key a project used from when to when, and moving pseudonyms from an old key to a new one.

Belongs here: the register of fingerprints, rotation, and refusing tables under two keys in one. Does not belong here:
keys themselves: the register holds fingerprints only, and may be read by anyone.

References
----------
NIST SP 800-57 Part 1 Rev. 5, section 5.3 (cryptoperiods).
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import NoReturn

import polars as pl

from deidentification.opt_out import read_register as read_opt_outs
from deidentification.project_keys import fingerprint
from deidentification.pseudonyms import PSEUDONYM_CHARACTERS, load_key, pseudonymise
from records.errors import ParameterError, StorageError
from records.files import one_at_a_time, write_atomically

REGISTER = "pseudonym_keys.json"
OPT_OUTS, RETIRED = "opted_out.jsonl", "retired_keys"  # what a home holds under its keys
HOSPITAL = "hospital"
_changing = threading.local()


@dataclass(frozen=True)
class KeyEntry:
    """A key of a project: its fingerprint, first day, last day (``None`` while it is in use), and the day from which
    it is no longer kept, or was found lost."""

    project: str
    fingerprint: str
    created: date
    retired: date | None = None
    removed: date | None = None


def read_register(path: Path) -> tuple[KeyEntry, ...]:
    """All keys, oldest first; none if there is no register yet.

    Raises
    ------
    StorageError
        The register is damaged.
    """
    try:
        return tuple(_entry(item) for item in json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path.name} must be a key register, got a damaged file; restore it from a copy") from error


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Others wait from the first read to the last write; whoever holds the register may take it again.

    Raises
    ------
    StorageError
        Its folder cannot be written.
    """
    held: set[Path] = _changing.__dict__.setdefault("paths", set())
    if path in held:
        yield
        return
    with one_at_a_time(path.with_name(f".{path.name}.lock")):
        held.add(path)
        try:
            yield
        finally:
            held.remove(path)


def register_key(path: Path, key: bytes, project: str, *, today: date) -> KeyEntry:
    """Enter a project's key, or confirm that it is the one in use.

    Raises
    ------
    ParameterError
        Another key of the project is in use, or this one is retired.
    """
    if (used := key_in_use(path, project)) is not None and used.fingerprint == fingerprint(key):
        return used  # nothing to write: a home that can only be read will do
    with changing(path):
        entries, used = read_register(path), key_in_use(path, project)
        if used is not None and used.fingerprint == fingerprint(key):
            return used
        if used is not None or (project, fingerprint(key)) in {(e.project, e.fingerprint) for e in entries}:
            _refuse(project, used, fingerprint(key))
        entry = KeyEntry(project, fingerprint(key), today)
        _write(path, (*entries, entry))
    return entry


def hospital_key(home: Path, environment: str | None, *, today: date) -> bytes:
    """The hospital's pseudonym key, confirmed to be the one that its home has used so far.

    Raises
    ------
    ParameterError
        The key is too short, or it is not the one in use, or there is none though something is under one: it was lost. No
        new key is made then.
    StorageError
        The key or the register cannot be read or written.
    """
    path, place = home / REGISTER, home / "pseudonym.key"
    used = key_in_use(path, HOSPITAL)  # read before it is looked for: another process may make the first key meanwhile
    if environment is None and not place.exists():
        _refuse_new_key(home, used)
    key, used = load_key(place, environment), key_in_use(path, HOSPITAL)
    if used is None or used.fingerprint != fingerprint(key):
        with changing(path):  # a rotation may have been at work
            key = load_key(place, environment)
            if key_in_use(path, HOSPITAL) is None:
                _refuse_key_of_nothing(home, key)
            register_key(path, key, HOSPITAL, today=today)
    return key


def rotate(path: Path, old: bytes, new: bytes, project: str, *, today: date) -> KeyEntry:
    """Retire a project's key and enter its successor, in one write.

    Raises
    ------
    ParameterError
        ``old`` is not the key in use, or ``new`` was used before.
    """
    with changing(path):
        used = key_in_use(path, project)
        if used is None or used.fingerprint != fingerprint(old):
            _refuse(project, used, fingerprint(old))
        return _succeed(path, used, replace(used, retired=today), new, today)


def replace_lost(path: Path, lost: str, new: bytes, project: str, *, today: date) -> KeyEntry:
    """Enter the successor of a key that nobody has any more, named by its fingerprint.

    Raises
    ------
    ParameterError
        ``lost`` is not the fingerprint of the key in use, or ``new`` was used before.
    """
    with changing(path):
        used = key_in_use(path, project)
        if used is None or used.fingerprint != lost:
            _refuse(project, used, lost)
        return _succeed(path, used, replace(used, retired=today, removed=today), new, today)


def key_in_use(path: Path, project: str) -> KeyEntry | None:
    """The project's key of today, if it has one."""
    return next((e for e in read_register(path) if e.project == project and e.retired is None), None)


def mark_removed(path: Path, removed: KeyEntry, *, today: date) -> None:
    """Enter that a retired key is no longer kept."""
    with changing(path):
        _write(path, [replace(e, removed=today) if e == removed else e for e in read_register(path)])


def rekeyed(table: pl.DataFrame, ids: pl.Series, old: bytes, new: bytes) -> pl.DataFrame:
    """A de-identified table with the pseudonyms of a new key, by hashing the source's identifiers under both.

    Parameters
    ----------
    table : polars.DataFrame
        With the column ``pseudonym`` under the old key.
    ids : polars.Series
        Identifiers of the source; may hold more patients than the table.

    Raises
    ------
    ParameterError
        A pseudonym of the table is of no patient in ``ids``: another key, or another source.
    """
    patients = ids.unique(maintain_order=True)
    before, after = pseudonymise(patients, old), pseudonymise(patients, new)
    moved = table["pseudonym"].replace_strict(before, after, default=None, return_dtype=pl.String)
    if unknown := moved.null_count():
        raise ParameterError(
            f"every pseudonym must be of a patient of the source under key {fingerprint(old)}, got {unknown} that are not; "
            "give the key and the source that the table was made from"
        )
    return table.with_columns(moved.alias("pseudonym")).sort("pseudonym")


def together(parts: Sequence[tuple[pl.DataFrame, str]]) -> pl.DataFrame:
    """De-identified tables under one key as one table.

    Parameters
    ----------
    parts : sequence of (polars.DataFrame, str)
        Tables with equal columns, each with the fingerprint of its key.

    Raises
    ------
    ParameterError
        The tables are under different keys, so that one patient could stand under two pseudonyms, or a pseudonym
        occurs twice.
    """
    prints = sorted({name for _, name in parts})
    if len(prints) != 1:
        raise ParameterError(
            f"pseudonyms of one table must be under one key, got the keys {', '.join(prints) or 'of no table'}; "
            "re-key the older tables from their source"
        )
    table = pl.concat([frame for frame, _ in parts])
    if repeated := table.height - table["pseudonym"].n_unique():
        raise ParameterError(
            f"a pseudonym must occur once, got {repeated} repeated rows; leave out the tables that overlap"
        )
    return table


def _succeed(path: Path, used: KeyEntry, retired: KeyEntry, new: bytes, today: date) -> KeyEntry:
    entries, entry = read_register(path), KeyEntry(used.project, fingerprint(new), today)
    if any(e.fingerprint == entry.fingerprint for e in entries):
        raise ParameterError(
            f"the next key of {used.project} must be new, got {entry.fingerprint}, used before; make another"
        )
    _write(path, (*(retired if e == used else e for e in entries), entry))
    return entry


def _refuse(project: str, used: KeyEntry | None, got: str) -> NoReturn:
    expected = f"be {used.fingerprint}, in use since {used.created}" if used else "not be retired"
    raise ParameterError(
        f"the key of {project} must {expected}, got {got}; put that key back, or rotate to the new key on purpose "
        "(`phaseiv keys rotate`)"
    )


def _refuse_new_key(home: Path, used: KeyEntry | None) -> None:
    """A key is made for a new home only: where something is under a former one, that must be put back or be told to be lost."""
    if used is not None:
        raise ParameterError(
            f"the key of {HOSPITAL} must be {used.fingerprint}, in use since {used.created}, got none; put pseudonym.key back, or go on "
            f"with a new one if it is lost (`phaseiv keys rotate hospital --lost {used.fingerprint}`)"
        )
    opted_out = home / OPT_OUTS
    under = [
        name for name, there in ((OPT_OUTS, _of_a_hospital(opted_out)), (RETIRED, (home / RETIRED).exists())) if there
    ]
    if under and not (home / "pseudonym.key").exists():
        raise ParameterError(
            f"{home.name} must hold pseudonym.key and {REGISTER}, since it holds {' and '.join(under)}, got neither; put both back from a "
            "copy. If they are lost, move these away and record the objections anew"
        )


def _refuse_key_of_nothing(home: Path, key: bytes) -> None:
    """Where the register of keys is lost, objections tell which key it must have held."""
    opted_out = home / OPT_OUTS
    told = set(read_opt_outs(opted_out)["key"].drop_nulls()) if opted_out.exists() else set[str]()
    if told and fingerprint(key) not in told:
        raise ParameterError(
            f"the key of {HOSPITAL} must be one of {', '.join(sorted(told))}, under which {OPT_OUTS} is, got {fingerprint(key)}; put "
            f"that key and {REGISTER} back from a copy. If they are lost, move {OPT_OUTS} away and record the objections anew"
        )


def _of_a_hospital(register: Path) -> bool:
    """Whether a register of opt-outs holds choices under a hospital's key; the hub's list comes before any key."""
    return register.exists() and bool(
        (read_opt_outs(register)["pseudonym"].str.len_chars() == PSEUDONYM_CHARACTERS).any()
    )


def _entry(item: dict[str, str | None]) -> KeyEntry:
    created, *ends = (
        date.fromisoformat(day) if day else None for day in (item["created"], item["retired"], item.get("removed"))
    )
    if created is None:
        raise ValueError("created")
    return KeyEntry(str(item["project"]), str(item["fingerprint"]), created, *ends)


def _write(path: Path, entries: Sequence[KeyEntry]) -> None:
    write_atomically(path, json.dumps([asdict(e) for e in entries], indent=2, default=str).encode())
