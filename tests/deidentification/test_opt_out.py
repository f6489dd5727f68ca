"""The last choice up to the permit's date counts, nothing is lost, and the hub's list and hashes are understood."""

import json
import multiprocessing
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidentification.opt_out import (
    Objectors,
    OptOuts,
    choice_pseudonyms,
    hub_pseudonyms,
    objecting,
    read_register,
    record_choices,
    take_over,
)
from deidentification.pseudonyms import pseudonymise
from hub.duties.opting_out import CONTEXT, pseudonym
from records.errors import ParameterError, StorageError

DAY = date(2026, 3, 1)
PEOPLE = pseudonymise(pl.Series("id", range(6)), b"k" * 32).to_list()
EVENTS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["out", "in"]), st.integers(-5, 5)), max_size=20
)  # fmt: skip


@given(EVENTS)
def test_the_last_choice_up_to_the_permit_counts(events: list[tuple[str, str, int]]) -> None:
    lines = [{"pseudonym": p, "date": DAY + timedelta(days=d), "choice": c} for p, c, d in events]
    register = pl.DataFrame(lines, schema={"pseudonym": pl.String, "date": pl.Date, "choice": pl.String})
    last = dict.fromkeys(PEOPLE, "in")
    for person, choice, day in sorted(events, key=lambda event: event[2]):
        if day <= 0:
            last[person] = choice
    assert set(objecting(register, DAY)) == {p for p in PEOPLE if last[p] == "out"}


def test_a_choice_can_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "opted_out.jsonl"
    record_choices(path, PEOPLE[:2], "out", DAY)
    first = path.read_bytes()
    record_choices(path, PEOPLE[:1], "in", DAY + timedelta(days=9))
    assert path.read_bytes().startswith(first)
    register = read_register(path)
    assert set(objecting(register, DAY - timedelta(days=1))) == set()
    assert set(objecting(register, DAY)) == set(PEOPLE[:2])
    assert set(objecting(register, DAY + timedelta(days=9))) == {PEOPLE[1]}


def test_csv_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "opted_out.csv"
    path.write_text(f"pseudonym,date,choice\n{PEOPLE[0]},2026-03-01,out\n")
    assert objecting(read_register(path), DAY).to_list() == PEOPLE[:1]


@pytest.mark.parametrize("damage", [
    lambda text: text[:-9], lambda text: text.replace("out", "perhaps"), lambda text: text.replace("2026-03-01", "soon"),
    lambda text: text.replace(PEOPLE[0], "Anna"), lambda text: text + "\n{", lambda text: text.replace('"date"', '"day"'),
])  # fmt: skip
def test_no_half_line_is_passed_over(tmp_path: Path, damage) -> None:
    path = tmp_path / "opted_out.jsonl"
    record_choices(path, PEOPLE[:2], "out", DAY)
    path.write_text(damage(path.read_text()))
    with pytest.raises(StorageError, match="register of opt-outs") as caught:
        read_register(path)
    assert PEOPLE[0] not in str(caught.value)


def test_wrong_choices_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "opted_out.jsonl"
    for people, choice in ((PEOPLE, "maybe"), (["131052-308T"], "out")):
        with pytest.raises(ParameterError):
            record_choices(path, people, choice, DAY)
    assert not path.exists()


def _many(path: Path, person: str) -> None:
    for _ in range(50):
        record_choices(path, [person], "out", DAY)


def test_processes_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    path, context = tmp_path / "opted_out.jsonl", multiprocessing.get_context("fork")
    working = [context.Process(target=_many, args=(path, person)) for person in PEOPLE[:3]]
    for process in working:
        process.start()
    for process in working:
        process.join()
    assert read_register(path)["pseudonym"].value_counts().sort("pseudonym")["count"].to_list() == [50, 50, 50]


def test_the_hubs_hash_is_ours() -> None:
    """The key is derived as the hub does it, from its master key."""
    import hmac
    from types import SimpleNamespace

    hub = SimpleNamespace(keys=SimpleNamespace(master=b"m" * 32))
    written = ["131052-308T", " 85.07.30-033 28", "rssmra85t10a562s"]
    key = hmac.digest(b"m" * 32, CONTEXT, "sha256")
    theirs = [pseudonym(hub, text) for text in written]  # type: ignore[arg-type]
    assert hub_pseudonyms(pl.Series("id", written), key).to_list() == theirs


def test_the_hubs_list_is_taken_over(tmp_path: Path) -> None:
    path, export = tmp_path / "opted_out.jsonl", tmp_path / "export.json"
    ours = hub_pseudonyms(pl.Series("id", ["131052-308T", "811228-9874", "12345678Z"]), b"h" * 32).to_list()
    record_choices(path, PEOPLE[:1], "out", DAY)
    export.write_text(json.dumps({"count": 2, "pseudonyms": ours[:2]}))
    assert take_over(path, export, DAY) == (2, 0)
    export.write_text(json.dumps({"count": 2, "pseudonyms": ours[1:]}))
    assert take_over(path, export, DAY + timedelta(days=1)) == (1, 1)
    assert set(objecting(read_register(path), DAY + timedelta(days=1))) == {PEOPLE[0], *ours[1:]}
    before = path.read_bytes()
    export.write_text(json.dumps({"count": 3, "pseudonyms": ours[1:]}))
    with pytest.raises(StorageError, match="whole list"):
        take_over(path, export, DAY)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("listed", "table"),
    [("007", "7"), ("7", "007"), ("7.0", "7"), (" 7 ", "7"), ("ab-1", "AB-1"), ("\uff17", "7"), ("000", "0")],
)
def test_an_objection_finds_its_patient_in_other_forms(tmp_path: Path, listed: str, table: str) -> None:
    path = tmp_path / "opted_out.jsonl"
    record_choices(path, choice_pseudonyms(pl.Series("id", [listed]), bytes(16)), "out", date(2026, 1, 1))
    choices = OptOuts(path, date(2026, 1, 2), bytes(16))
    gone = choices.of(pl.Series("id", [table, "70", "8"]))
    assert gone.to_list() == [True, False, False]
    if table == "7":
        assert choices.of(pl.Series("id", [7, 70])).to_list() == [True, False]


class Listed(frozenset[str]):
    """Objections of a whole country, which take long to go through."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("gone through for one patient")


def test_one_patient_is_looked_up_among_many_objections() -> None:
    among = Objectors(Listed(PEOPLE[:3]), (b"n" * 32, b"k" * 32), bytes(32)).among(pl.Series("id", range(6)))
    assert (among.name, among.to_list()) == ("opted_out", [True] * 3 + [False] * 3)
    assert Objectors(Listed(), (bytes(16),), None).among(pl.Series("id", [], dtype=pl.String)).dtype == pl.Boolean
