"""Rotation changes pseudonyms and loses nobody: old keys are kept, found, and go only when nothing is under them."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidentification import kept_keys, key_register
from deidentification.kept_keys import (
    KEY_FILE,
    HospitalKeys,
    key_of_file,
    removable,
    remove,
    replace_lost_hospital,
    rotate_hospital,
    rotate_project,
)
from deidentification.key_register import HOSPITAL, REGISTER, RETIRED, key_in_use, read_register
from deidentification.opt_out import OptOuts, choice_pseudonyms, record_choices
from deidentification.opt_out_keys import carry_over, record_under
from deidentification.project_keys import fingerprint
from records.errors import ParameterError, PhaseIVError, StorageError

DAY, LATER = date(2026, 1, 1), date(2026, 6, 1)
IDS = pl.Series("id", ["7", "008", "nine"])


def keys(home: Path, environment: str | None = None) -> HospitalKeys:
    return HospitalKeys.of(home, environment, today=DAY)


def test_a_rotated_key_is_another_and_the_old_one_is_kept(tmp_path: Path) -> None:
    old = keys(tmp_path).current
    rotate_hospital(tmp_path, None, old=None, today=LATER)
    now = keys(tmp_path)
    assert now.current != old
    assert now.former == (old,)
    kept = tmp_path / RETIRED / f"{fingerprint(old)}.key"
    assert kept.stat().st_mode & 0o077 == 0
    kept.rename(tmp_path / "away")
    assert keys(tmp_path).current == now.current
    with pytest.raises(StorageError, match="put it back"):
        _ = keys(tmp_path).former


ROTATING = """
import sys
from datetime import date
from pathlib import Path
from deidentification.kept_keys import HospitalKeys, rotate_hospital

home, project, today = Path(sys.argv[1]), sys.argv[2], date(2026, 6, 1)
print("ready", flush=True)
input()
for _ in range(5):
    rotate_hospital(home, None, old=None, today=today)
    HospitalKeys.of(home, None, today=today).project(project, today=today)
"""


def test_processes_that_rotate_at_once_lose_no_key(tmp_path: Path) -> None:
    keys(tmp_path)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [
        subprocess.Popen([sys.executable, "-c", ROTATING, tmp_path, name], **pipes) for name in ("lung", "stroke")
    ]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        print("go", file=one.stdin, flush=True)
    assert [one.wait(timeout=60) for one in running] == [0, 0]
    entries = read_register(tmp_path / REGISTER)
    assert len(entries) == 1 + 2 * 5 + 2
    now = keys(tmp_path)
    assert len(now.former) == 10
    assert all(now.held(entry) is not None for entry in entries)


@pytest.mark.parametrize("entered", [False, True])
def test_an_interrupted_rotation_leaves_the_key_that_the_register_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entered: bool
) -> None:
    keys(tmp_path)
    rotate: Callable[..., Any] = key_register.rotate

    def interrupted(*args: Any, **more: Any) -> None:
        if entered:
            rotate(*args, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(kept_keys, "rotate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rotate_hospital(tmp_path, None, old=None, today=LATER)
    used = key_in_use(tmp_path / REGISTER, HOSPITAL)
    assert used is not None
    assert used.fingerprint == fingerprint(keys(tmp_path).current)
    assert len(read_register(tmp_path / REGISTER)) == 1 + entered


def test_a_key_of_the_environment_is_rotated_with_its_old_one_beside_it(tmp_path: Path) -> None:
    old, new = "0a" * 32, "new key of the hospital"
    keys(tmp_path, old)
    with pytest.raises(ParameterError, match="--old"):
        rotate_hospital(tmp_path, old, old=None, today=LATER)
    (tmp_path / "wrong").write_bytes(b"w" * 32)
    (tmp_path / "old").write_text(f"{old}\n")
    with pytest.raises(ParameterError, match="this home so far"):
        rotate_hospital(tmp_path, new, old=b"w" * 32, today=LATER)
    assert not (tmp_path / RETIRED).exists()
    rotate_hospital(tmp_path, new, old=key_of_file(tmp_path, tmp_path / "old"), today=LATER)
    assert keys(tmp_path, new).former == (bytes.fromhex(old),)


def test_projects_keep_their_key_until_it_is_rotated(tmp_path: Path) -> None:
    first = keys(tmp_path).project("stroke", today=DAY)
    old = keys(tmp_path).current
    rotate_hospital(tmp_path, None, old=None, today=LATER)
    assert keys(tmp_path).project("stroke", today=LATER) == first
    with pytest.raises(ParameterError, match="keys of stroke"):
        removable(keys(tmp_path), fingerprint(old))
    rotate_project(keys(tmp_path), "stroke", today=LATER)
    second = keys(tmp_path).project("stroke", today=LATER)
    assert second not in (first, old)
    rotate_project(keys(tmp_path), "stroke", today=LATER)
    assert keys(tmp_path).project("stroke", today=LATER) not in (first, second)
    remove(keys(tmp_path), fingerprint(old), today=LATER)
    assert keys(tmp_path).former == ()
    with pytest.raises(ParameterError, match="keys list"):
        remove(keys(tmp_path), fingerprint(old), today=LATER)


def test_a_projects_lost_or_shared_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="first use"):
        rotate_project(keys(tmp_path), "stroke", today=DAY)
    lost = keys(tmp_path).project("stroke", today=DAY)
    (tmp_path / KEY_FILE).write_bytes(b"n" * 32)
    with pytest.raises(ParameterError, match="put that key back"):
        keys(tmp_path)
    used = key_in_use(tmp_path / REGISTER, HOSPITAL)
    assert used is not None
    replace_lost_hospital(tmp_path, None, used.fingerprint, opted_out=tmp_path / "o.jsonl", today=LATER)
    with pytest.raises(ParameterError, match="put that key back"):
        keys(tmp_path).project("stroke", today=LATER)
    with pytest.raises(ParameterError, match=f"--lost {fingerprint(lost)}"):
        rotate_project(keys(tmp_path), "stroke", today=LATER)
    rotate_project(keys(tmp_path), "stroke", lost=fingerprint(lost), today=LATER)
    assert keys(tmp_path).project("stroke", today=LATER) != lost


def test_a_lost_key_does_not_lose_objections(tmp_path: Path) -> None:
    register, old = tmp_path / "opted_out.jsonl", keys(tmp_path).current
    record_choices(register, choice_pseudonyms(IDS, old), "out", DAY)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(ParameterError, match="record these objections anew"):
        replace_lost_hospital(tmp_path, None, fingerprint(old), opted_out=register, today=LATER)
    register.unlink()
    replace_lost_hospital(tmp_path, None, fingerprint(old), opted_out=register, today=LATER)
    assert keys(tmp_path).former == ()


def test_an_objection_for_a_day_to_come_or_gone_is_not_lost_either(tmp_path: Path) -> None:
    """One for a later day, and one taken back since: a permit of a day between must still leave that patient out."""
    register, old = tmp_path / "opted_out.jsonl", keys(tmp_path).current
    record_choices(register, choice_pseudonyms(IDS[:1], old), "out", date(2030, 1, 1))
    record_choices(register, choice_pseudonyms(IDS[1:2], old), "out", DAY)
    record_choices(register, choice_pseudonyms(IDS[1:2], old), "in", LATER)
    record_choices(register, choice_pseudonyms(IDS[2:], old), "out", DAY)
    record_choices(register, choice_pseudonyms(IDS[2:], old), "in", DAY)  # in force on no day
    for some in (IDS[1:2], IDS[:1], IDS[2:]):
        with pytest.raises(ParameterError, match="pseudonyms of nobody"):
            carry_over(register, some, old, key=b"n" * 32, former=())
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(ParameterError, match="got 3;"):
        replace_lost_hospital(tmp_path, None, fingerprint(old), opted_out=register, today=LATER)
    carry_over(register, IDS[:2], old, key=b"n" * 32, former=())
    choices = OptOuts(register, date(2030, 1, 1), b"n" * 32)
    assert choices.of(IDS).to_list() == [True, False, False]


@pytest.mark.parametrize("damage", [b"", b"x" * 32])
def test_a_lost_retired_key_stops_only_what_needs_it(tmp_path: Path, damage: bytes) -> None:
    register, lost = tmp_path / "opted_out.jsonl", keys(tmp_path).current
    record_choices(register, choice_pseudonyms(IDS[:1], lost), "out", DAY)
    rotate_hospital(tmp_path, None, old=None, today=LATER)
    record_under(register, IDS[1:2], "out", DAY, key=keys(tmp_path).current, former=())
    file = tmp_path / RETIRED / f"{fingerprint(lost)}.key"
    file.write_bytes(damage)
    now = keys(tmp_path)
    assert now.project("stroke", today=LATER)
    assert now.held(removable(now, fingerprint(lost))) is None
    with pytest.raises(ParameterError, match="got 1 pseudonyms of nobody"):
        carry_over(register, IDS, None, key=now.current, former=now.here)
    register.unlink()
    record_under(register, IDS, "out", DAY, key=now.current, former=())
    assert carry_over(register, IDS, None, key=now.current, former=now.here) == 0
    remove(now, fingerprint(lost), today=LATER)
    assert keys(tmp_path).former == ()
    assert file.read_bytes() == damage
    assert OptOuts(register, DAY, now.current).of(IDS).all()


CHOICES = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["out", "in"]), st.booleans()), max_size=8)


@settings(max_examples=25)
@given(CHOICES)
def test_choices_hold_over_rotation_and_removal(choices: list[tuple[int, str, bool]]) -> None:
    """Whatever is chosen under the old key and after its rotation, the last choice counts, as it does under one key."""
    import tempfile

    old, new = b"o" * 32, b"n" * 32
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "opted_out.jsonl"
        record_choices(path, [], "out", DAY)
        last = dict.fromkeys(range(3), "in")
        for person, choice, rotated in sorted(choices, key=lambda entry: entry[2]):
            last[person] = choice
            now = {"key": new, "former": (old,)} if rotated else {"key": old, "former": ()}
            record_under(path, IDS[person : person + 1], choice, DAY, **now)
        expected = [last[person] == "out" for person in range(3)]
        assert OptOuts(path, LATER, new, former=(old,)).of(IDS).to_list() == expected
        carry_over(path, pl.Series(["nine", "7", "8", "008"]), old, key=new, former=())
        assert OptOuts(path, LATER, new).of(IDS).to_list() == expected


def test_one_key_after_another_goes_and_objections_stay(tmp_path: Path) -> None:
    """What is carried over leaves nothing under the old key, of which nobody could tell later whose it was."""
    register = tmp_path / "opted_out.jsonl"
    record_choices(register, choice_pseudonyms(IDS[:2], keys(tmp_path).current), "out", DAY)
    record_choices(register, choice_pseudonyms(IDS[:1], keys(tmp_path).current), "in", LATER)
    for _ in range(3):
        old = keys(tmp_path).current
        rotate_hospital(tmp_path, None, old=None, today=LATER)
        now = keys(tmp_path)
        for _ in range(2):  # the second as after a removal that failed
            carry_over(register, IDS, old, key=now.current, former=())
        remove(now, fingerprint(old), today=LATER)
        assert OptOuts(register, DAY, now.current).of(IDS).to_list() == [True, True, False]
        assert OptOuts(register, LATER, now.current).of(IDS).to_list() == [False, True, False]


def test_an_objection_of_nobody_keeps_its_key(tmp_path: Path) -> None:
    path, old, new = tmp_path / "opted_out.jsonl", b"o" * 32, b"n" * 32
    record_choices(path, choice_pseudonyms(IDS, old), "out", DAY)
    before = path.read_bytes()
    with pytest.raises(PhaseIVError, match="got 2 pseudonyms of nobody"):
        carry_over(path, IDS[:2], old, key=new, former=())
    assert path.read_bytes() == before
