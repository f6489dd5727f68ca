"""The ledger: real processes race for the last budget, and no debit is given back."""

import multiprocessing
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


@pytest.mark.slow
def test_concurrent_debits_never_exceed_the_budget(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'l.db'}"
    BudgetLedger(url)
    with multiprocessing.get_context("spawn").Pool(6) as pool:
        assert sum(pool.map(race, [url] * 12)) == 3
    assert BudgetLedger(url).spent("c") == pytest.approx(0.9)


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
