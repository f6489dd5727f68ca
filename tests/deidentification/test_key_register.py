"""Keys are entered, retired and never mixed; rotation keeps who is who."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import polars as pl
import pytest

from deidentification import key_register
from deidentification.key_register import (
    OPT_OUTS,
    REGISTER,
    hospital_key,
    read_register,
    register_key,
    rekeyed,
    rotate,
    together,
)
from deidentification.opt_out_keys import record_under
from deidentification.project_keys import fingerprint
from deidentification.pseudonyms import pseudonymise
from records.errors import ParameterError, StorageError

OLD, NEW, DAY, LATER = b"o" * 32, b"n" * 32, date(2026, 1, 1), date(2026, 6, 1)
IDS = pl.Series("id", range(50))


def table(key: bytes, ids: pl.Series = IDS) -> pl.DataFrame:
    return pl.DataFrame({"pseudonym": pseudonymise(ids, key), "age": ids})


def test_rotation_retires_the_old_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    register_key(path, OLD, "stroke", today=DAY)
    register_key(path, OLD, "stroke", today=LATER)
    with pytest.raises(ParameterError, match="put that key back"):
        register_key(path, NEW, "stroke", today=LATER)
    rotate(path, OLD, NEW, "stroke", today=LATER)
    old, new = read_register(path)
    assert (old.fingerprint, old.created, old.retired) == (fingerprint(OLD), DAY, LATER)
    assert (new.fingerprint, new.created, new.retired) == (fingerprint(NEW), LATER, None)
    assert OLD.hex() not in path.read_text()
    for wrong in (lambda: rotate(path, OLD, b"x" * 32, "stroke", today=LATER),
                  lambda: rotate(path, NEW, OLD, "stroke", today=LATER),
                  lambda: register_key(path, OLD, "stroke", today=LATER)):  # fmt: skip
        before = path.read_bytes()
        with pytest.raises(ParameterError):
            wrong()
        assert path.read_bytes() == before


def test_rekeyed_rows_stay_with_their_patient() -> None:
    moved = rekeyed(table(OLD)[:20], IDS, OLD, NEW)
    assert moved.sort("age").equals(table(NEW)[:20])
    with pytest.raises(ParameterError, match="20 that are not"):
        rekeyed(table(OLD)[:20], IDS, NEW, OLD)


def test_tables_of_two_keys_or_with_a_patient_twice_are_not_put_together() -> None:
    first, second = table(OLD, IDS[:25]), table(OLD, IDS[25:])
    assert together([(first, fingerprint(OLD)), (second, fingerprint(OLD))]).height == 50
    with pytest.raises(ParameterError, match="one key"):
        together([(first, fingerprint(OLD)), (table(NEW), fingerprint(NEW))])
    with pytest.raises(ParameterError, match="25 repeated"):
        together([(first, fingerprint(OLD)), (table(OLD), fingerprint(OLD))])


def test_no_entry_is_lost_of_projects_that_register_at_once(tmp_path: Path) -> None:
    path, projects = tmp_path / "keys.json", [f"project {n}" for n in range(8)]
    together_now = Barrier(len(projects))

    def enter(project: str) -> None:
        together_now.wait()
        register_key(path, project.encode() * 4, project, today=DAY)

    with ThreadPoolExecutor(len(projects)) as pool:
        list(pool.map(enter, projects))
    assert sorted(entry.project for entry in read_register(path)) == projects


def test_whoever_only_confirms_a_key_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    register_key(path, OLD, "stroke", today=DAY)
    path.with_name(f".{path.name}.lock").unlink()
    register_key(path, OLD, "stroke", today=LATER)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_damaged_register_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('[{"project": "stroke"}]')
    with pytest.raises(StorageError, match="key register"):
        read_register(path)


@pytest.mark.parametrize("at", ["key_in_use", "_of_a_hospital"])
def test_who_makes_the_first_key_meanwhile_is_not_taken_for_one_whose_key_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    asked = getattr(key_register, at)

    def meanwhile(*given: object) -> object:
        monkeypatch.setattr(key_register, at, asked)
        key = hospital_key(tmp_path, None, today=DAY)
        record_under(tmp_path / OPT_OUTS, IDS, "out", DAY, key=key, former=())
        return asked(*given)

    monkeypatch.setattr(key_register, at, meanwhile)
    assert hospital_key(tmp_path, None, today=DAY) == (tmp_path / "pseudonym.key").read_bytes()


def test_a_key_under_which_nothing_is_is_not_entered_where_objections_tell_another(tmp_path: Path) -> None:
    record_under(tmp_path / OPT_OUTS, IDS, "out", DAY, key=hospital_key(tmp_path, OLD.hex(), today=DAY), former=())
    (tmp_path / REGISTER).unlink()
    with pytest.raises(ParameterError, match=f"must be one of {fingerprint(OLD)}"):
        hospital_key(tmp_path, NEW.hex(), today=LATER)
    assert read_register(tmp_path / REGISTER) == ()
    assert hospital_key(tmp_path, OLD.hex(), today=LATER) == OLD
