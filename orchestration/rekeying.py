"""A de-identified table moved from a former key to the key in use.

Belongs here: which key a table is under, by its report, and writing both anew. Does not belong here: the pseudonyms
(``deidentification.key_register``).
"""

import json
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from records.errors import ParameterError, StorageError
from records.files import write_atomically
from records.reading import read_table

if TYPE_CHECKING:
    from deidentification.kept_keys import HospitalKeys


def rekey_table(
    keys: "HospitalKeys", table: Path, ids: pl.Series, out: Path, project: str | None, *, today: date
) -> tuple[int, str]:
    """Write the table under the key in use to a new file, its report beside it; returns its rows and the key's fingerprint.

    Raises
    ------
    StorageError
        The table or its report cannot be read, or ``out`` cannot be written.
    ParameterError
        ``out`` or its report is there already; the table's key is none that is kept, its pseudonyms are not each of one patient of
        ``ids``, or it occurs twice.
    """
    from deidentification.key_register import rekeyed, together
    from deidentification.project_keys import fingerprint
    from deidentification.table import refuse_places, table_bytes

    refuse_places(table, out)
    _refuse_taken(out)
    report = _report(table)
    name = str(report["key_fingerprint"])
    old = _old_key(keys, name, project)  # before the new one: a project of no key must not get one by a slip of the pen
    new = keys.project(project, today=today) if project else keys.current
    frame = together([(read_table(table), name)])  # refuses a pseudonym that occurs twice
    moved = rekeyed(frame, ids, old, new)
    told = report | {"table": out.name, "key_fingerprint": fingerprint(new), "rekeyed_from": name}
    _write(out, table_bytes(out, moved), json.dumps(told, indent=2, ensure_ascii=False).encode())
    return moved.height, fingerprint(new)


def _refuse_taken(out: Path) -> None:
    """An earlier release or a source is never written over: what was handed out under its name could not be told any more."""
    for path in (out, _report_of(out)):
        if path.exists() or path.is_symlink():
            raise ParameterError(f"the file written must be new, got {path.name}, which is there; choose another name")


def _report_of(table: Path) -> Path:
    return table.with_name(f"{table.name}.report.json")


def _write(out: Path, table: bytes, report: bytes) -> None:
    """Both or none, and never a table without the report that names its key."""
    places = {_report_of(out): report, out: table}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as staged:
            for path, data in places.items():
                write_atomically(Path(staged) / path.name, data)
            for path in places:
                (Path(staged) / path.name).replace(path)
    except OSError as error:
        _report_of(out).unlink(missing_ok=True)
        raise StorageError(f"{out.name} must be writable, got {error.strerror}; mend the folder's rights") from error


def _report(table: Path) -> dict[str, object]:
    path = _report_of(table)
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        report["key_fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        raise StorageError(
            f"{table.name} must have its report {path.name} beside it, which names its key, got none; put it back"
        ) from None
    return report


def _old_key(keys: "HospitalKeys", name: str, project: str | None) -> bytes:
    from deidentification.key_register import HOSPITAL, REGISTER, read_register

    entries = read_register(keys.home / REGISTER)
    entry = next((e for e in entries if (e.project, e.fingerprint) == (project or HOSPITAL, name)), None)
    old = keys.held(entry) if entry else None
    if old is None:
        raise ParameterError(
            f"the table's key must be a kept one of {project or HOSPITAL}, got {name}; name its project, or de-identify the "
            "source again if the key was removed or lost"
        )
    return old
