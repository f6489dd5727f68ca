from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.party.journal import GENESIS, Journal, entries
from records.errors import BudgetError, StorageError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.admit("one", now=NOW, kind="counts")
        journal.debit("one", "stroke", rho=0.25, total=1.0, now=NOW)
        journal.record("job.ended", "one", now=NOW, state="done")
    return path


def test_a_journal_remembers_jobs_and_spending(path: Path):
    with Journal(path) as journal:
        assert journal.used("one")
        assert not journal.used("two")
        assert journal.spent("stroke") == 0.25
        assert journal.spent("lung") == 0
        assert journal.head != GENESIS
    assert [e.event for e in entries(path)] == ["job.admitted", "budget.debited", "job.ended"]


def test_jobs_that_have_not_ended_are_known(path: Path):
    with Journal(path) as journal:
        journal.admit("two", now=NOW)
    with Journal(path) as journal:
        assert journal.open == ["two"]


def test_a_debit_beyond_the_budget_is_refused_and_not_written(path: Path):
    with Journal(path) as journal:
        with pytest.raises(BudgetError, match=r"0\.7500 of 1, got rho 0\.8000"):
            journal.debit("two", "stroke", rho=0.8, total=1.0, now=NOW)
        journal.debit("two", "stroke", rho=0.75, total=1.0, now=NOW)
        with pytest.raises(BudgetError, match="what is left"):
            journal.debit("three", "stroke", rho=1e-6, total=1.0, now=NOW)
        with pytest.raises(BudgetError, match="positive"):
            journal.debit("three", "stroke", rho=-1.0, total=1.0, now=NOW)


def test_one_process_holds_a_journal(path: Path):
    with Journal(path), pytest.raises(StorageError, match="held by one party"):
        Journal(path)
    Journal(path).close()


def test_a_torn_last_line_is_cut_and_noted(path: Path):
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"number": 4, "at"')
    with Journal(path) as journal:
        assert journal.spent("stroke") == 0.25
    assert path.read_bytes().startswith(whole)
    assert [e.event for e in entries(path)][-1] == "journal.mended"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_the_past_shows(path: Path, data: st.DataObject):
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda b: b != content[at]))
    changed = path.with_name("changed.jsonl")
    changed.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
    with pytest.raises(StorageError, match="unbroken chain"):
        list(entries(changed))


def test_a_removed_entry_shows(path: Path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(StorageError, match="changed entry 2"):
        Journal(path)
