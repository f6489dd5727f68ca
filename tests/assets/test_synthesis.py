"""Held-out patients never reach a synthesizer; budgets refuse."""

from pathlib import Path

import pytest

from assets.answers import SynthesisConfig, answered
from assets.manifest import pooled
from assets.workspace import Workspace
from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from hub.budget import BudgetLedger
from records.errors import BudgetError
from records.files import TableFile
from use_cases.registry import discover

pytestmark = pytest.mark.slow

USE_CASE = discover()["stroke"]
COHORT = USE_CASE.cohorts[0]
SCHEMA = released_schema(COHORT.table)
PARTS = {"a": TableFile(deidentify(COHORT.load(), COHORT.table, key=b"k" * 32, k=5).frame, "0")}


def test_only_training_patients_are_learnt_from(tmp_path: Path) -> None:
    train, holdout = pooled(PARTS)
    assert not set(train["pseudonym"]) & set(holdout["pseudonym"])
    assert train.height + holdout.height == 492
    config = SynthesisConfig(epsilon=None)
    model = answered(train, SCHEMA, USE_CASE, "v", config, Workspace(tmp_path), run_id="r")
    assert model.total_ == train["k_anonymous"].sum()


def test_an_exhausted_budget_refuses_before_measuring(tmp_path: Path) -> None:
    train, _ = pooled(PARTS)
    workspace = Workspace(tmp_path)

    def asked() -> None:
        for epsilon in (4.0, 5.0, 6.0, 7.0):
            answered(train, SCHEMA, USE_CASE, "v", SynthesisConfig(epsilon=epsilon), workspace, run_id="r")

    with pytest.raises(BudgetError, match="must fit what is left"):
        asked()
    spent = BudgetLedger(workspace.ledger_url).spent("copenhagen")
    assert 0 < spent <= USE_CASE.budget_rho
    assert len(list((tmp_path / "measurements").iterdir())) == len(
        BudgetLedger(workspace.ledger_url).entries("copenhagen")
    )
