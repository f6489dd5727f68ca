"""Private questions and their stored answers: each is debited once, before noise is drawn, and then free.

Belongs here: debit, fit, store, take up again. Does not belong here: sampling and tracking (``synthesis``).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import numpy as np
import polars as pl

from assets.workspace import Workspace
from records.files import sha256, write_atomically
from records.schema import Schema
from use_cases.registry import UseCase

if TYPE_CHECKING:
    from models.copula import CopulaSynthesizer
    from models.marginals import MarginalSynthesizer


class SynthesisConfig(dg.Config):
    """``epsilon`` null asks for no differential privacy; the gate then refuses the candidate."""

    synthesizer: str = "marginals"
    epsilon: float | None = 5.0
    seed: int = 0


def answered(
    train: pl.DataFrame, schema: Schema, use_case: UseCase, version: str, config: SynthesisConfig,
    workspace: Workspace, *, run_id: str, account: str = "release",
) -> "MarginalSynthesizer | CopulaSynthesizer":  # fmt: skip
    """A fitted synthesizer.

    A private question asked again on the same data gets the same noisy answers and costs nothing. Research on the
    account ``internal`` draws fresh noise each time and keeps no answers.

    Raises
    ------
    BudgetError
        The cohort's budget does not hold the question; nothing was measured.
    """
    from models.registry import build

    model = build(config.synthesizer, delta=use_case.delta)
    if config.epsilon is None or config.synthesizer != "marginals":
        rows = train.filter("k_anonymous").select(schema.names)
        return model.fit(rows, schema, budget=config.epsilon, rng=np.random.default_rng(config.seed))
    asked = [version, schema.model_dump_json(), config.epsilon, use_case.delta]
    question = sha256(json.dumps(asked).encode())
    store = workspace.home / "measurements" / f"{question}.json"
    if account == "release" and store.exists():
        return _taken_up(store, schema, use_case.delta)
    model = _measured(train, schema, use_case, config.epsilon, workspace, (question, account, run_id))
    if account == "release":
        answers = {name: counts.tolist() for name, counts in model.measurements_.items()}
        write_atomically(store, json.dumps({"spend": model.privacy_.to_json(), "answers": answers}).encode())
    return model


def _measured(
    train: pl.DataFrame, schema: Schema, use_case: UseCase, epsilon: float, workspace: Workspace,
    entry: tuple[str, str, str],
) -> "MarginalSynthesizer":  # fmt: skip
    from hub.budget import BudgetLedger
    from models.accounting import epsilon_to_rho
    from models.marginals import MarginalSynthesizer

    rho = epsilon_to_rho(epsilon, use_case.delta)
    question, account, run_id = entry
    BudgetLedger(workspace.ledger_url).debit(
        schema.name, rho=rho, total_rho=use_case.budget_rho, epsilon=epsilon, delta=use_case.delta,
        question=question, account=account, run_id=run_id,
    )  # fmt: skip
    model = MarginalSynthesizer(delta=use_case.delta)
    return model.fit(train.select(schema.names), schema, budget=rho, rng=np.random.default_rng())


def _taken_up(store: Path, schema: Schema, delta: float) -> "MarginalSynthesizer":
    from models.marginals import MarginalSynthesizer
    from records.privacy import Mechanism, PrivacySpend

    kept = json.loads(store.read_bytes())
    used = tuple(Mechanism(**entry) for entry in kept["spend"].pop("mechanisms"))
    answers = {name: np.array(counts) for name, counts in kept["answers"].items()}
    model = MarginalSynthesizer(delta=delta)
    model.privacy_ = PrivacySpend(used, **kept["spend"])
    return model.load(answers, schema, sigma=used[0].sigma or 0.0)
