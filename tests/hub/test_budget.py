"""The ledger: real processes race for the last budget, and no debit is given back."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from hub.budget import BudgetLedger
from records.errors import BudgetError


def race(url: str) -> bool:
    try:
        BudgetLedger(url).debit("c", rho=0.3, total_rho=1.0, epsilon=1, delta=1e-5, question="q")
    except BudgetError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'l.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.mark.slow
def test_concurrent_debits_never_exceed_the_budget(url: str) -> None:
    """Twelve askers at once, who also find no table yet."""
    with multiprocessing.get_context("spawn").Pool(6) as pool:
        assert sum(pool.map(race, [url] * 12, chunksize=1)) == 3
    assert BudgetLedger(url).spent("c") == pytest.approx(0.9)


def debit_and_die(url: str) -> None:
    """What a run does until its noise is drawn, and then the machine stops."""
    BudgetLedger(url).debit("crash", rho=0.7, total_rho=1.0, epsilon=1, delta=1e-5, question="q")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_crash_after_the_debit_gives_nothing_back(url: str) -> None:
    process = multiprocessing.get_context("spawn").Process(target=debit_and_die, args=(url,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert BudgetLedger(url).spent("crash") == pytest.approx(0.7)
    with pytest.raises(BudgetError, match=r"rho 0.3000 of 1, got rho 0.7000"):
        BudgetLedger(url).debit("crash", rho=0.7, total_rho=1.0, epsilon=1, delta=1e-5, question="q2")


def test_no_debit_can_be_taken_out() -> None:
    """The ledger has no way to delete or lower an entry."""
    assert {n for n in vars(BudgetLedger) if not n.startswith("_")} == {"debit", "spent", "entries"}


@pytest.mark.parametrize("rho", [0, -1, float("nan"), float("inf")])
def test_bad_rho(rho: float, tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="rho must be positive"):
        BudgetLedger(f"sqlite:///{tmp_path / 'l.db'}").debit(
            "c", rho=rho, total_rho=1, epsilon=1, delta=1e-5, question="q"
        )


def test_internal_research_is_recorded_without_a_limit(tmp_path: Path) -> None:
    ledger = BudgetLedger(f"sqlite:///{tmp_path / 'l.db'}")
    ledger.debit("c", rho=9, total_rho=1, epsilon=9, delta=1e-5, question="q", account="internal")
    assert ledger.spent("c") == 0
    assert [entry["account"] for entry in ledger.entries("c")] == ["internal"]
