"""Private questions and their stored answers: each is debited once, before noise is drawn, and then free.

Belongs here: debit, fit, store, take up again. Does not belong here: sampling and tracking (``synthesis``).
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import dagster as dg
import numpy as np
import polars as pl

from assets.workspace import Workspace
from records.files import one_at_a_time, sha256, write_atomically
from records.privacy import Mechanism, PrivacySpend
from records.protocols import Synthesizer
from records.schema import Schema

if TYPE_CHECKING:
    from models.graphical_synthesizer import GraphicalSynthesizer


class Allowance(Protocol):
    """What a cohort may cost: the delta of every question and the zCDP of all; a use case is one."""

    @property
    def delta(self) -> float: ...
    @property
    def budget_rho(self) -> float: ...


class SynthesisConfig(dg.Config):
    """``epsilon`` null asks for no differential privacy; the gate then refuses the candidate.

    ``marginals`` (columns that an analysis uses together) are what the synthesizer ``declared`` measures.
    """

    synthesizer: str = "auto"
    marginals: list[list[str]] = []  # noqa: RUF012, pydantic copies it
    epsilon: float | None = 5.0
    seed: int = 0


def answered(
    train: pl.DataFrame, schema: Schema, allowance: Allowance, version: str, config: SynthesisConfig,
    workspace: Workspace, *, run_id: str, account: str = "release",
) -> Synthesizer:  # fmt: skip
    """A fitted synthesizer.

    A private question asked again on the same data gets the same noisy answers and costs nothing. Research on the
    account ``internal`` draws fresh noise each time and keeps no answers. The transformer has no answers to keep: its
    noise is in every step of its training, so each fit is a new question and costs again.

    Raises
    ------
    ParameterError
        The synthesizer has no differential privacy to offer; nothing was debited.
    BudgetError
        The cohort's budget does not hold the question; nothing was measured.
    """
    from models.graphical_synthesizer import GraphicalSynthesizer
    from models.registry import PRIVATE, build
    from records.accounting import epsilon_to_rho
    from records.errors import ParameterError

    model = build(config.synthesizer, delta=allowance.delta, marginals=config.marginals)
    if config.epsilon is None:
        rows = train.filter("k_anonymous").select(schema.names)
        return model.fit(rows, schema, budget=None, rng=np.random.default_rng(config.seed))
    if config.synthesizer not in PRIVATE:
        raise ParameterError(
            f"epsilon must be none for {config.synthesizer}, which has no differential privacy, got {config.epsilon}; "
            f"choose one of {', '.join(PRIVATE)}, or epsilon 0 for none"
        )
    asked = [version, schema.model_dump_json(), config.synthesizer, config.epsilon, allowance.delta, config.marginals]
    question = sha256(json.dumps(asked).encode())
    store = workspace.home / "measurements" / f"{question}.json"
    with one_at_a_time(workspace.home / "locks" / question):
        if isinstance(model, GraphicalSynthesizer) and account == "release" and store.exists():
            return _taken_up(model, store, schema)
        rho = epsilon_to_rho(config.epsilon, allowance.delta)
        _debit(schema, allowance, (config.epsilon, rho), workspace, (question, account, run_id))
        model.fit(train.select(schema.names), schema, budget=rho, rng=np.random.default_rng())
        if isinstance(model, GraphicalSynthesizer) and account == "release":
            answers = [{**asdict(m), "counts": m.counts.tolist()} for m in model.measurements_]
            kept = {"spend": model.privacy_.to_json(), "answers": answers, "rare": model.rare_.shares}
            write_atomically(store, json.dumps(kept).encode())
    return model


def _debit(
    schema: Schema, allowance: Allowance, cost: tuple[float, float], workspace: Workspace, entry: tuple[str, str, str]
) -> None:
    from hub.budget import BudgetLedger

    (epsilon, rho), (question, account, run_id) = cost, entry
    BudgetLedger(workspace.ledger_url).debit(
        schema.name, rho=rho, total_rho=allowance.budget_rho, epsilon=epsilon, delta=allowance.delta,
        question=question, account=account, run_id=run_id,
    )  # fmt: skip


def _taken_up(model: "GraphicalSynthesizer", store: Path, schema: Schema) -> "GraphicalSynthesizer":
    from models.estimation import Measurement
    from models.rare_levels import RareLevels

    kept = json.loads(store.read_bytes())
    used = tuple(Mechanism(**entry) for entry in kept["spend"].pop("mechanisms"))
    model.privacy_ = PrivacySpend(used, **kept["spend"])
    answers = [Measurement(tuple(a["attributes"]), np.array(a["counts"]), a["sigma"]) for a in kept["answers"]]
    return model.load(answers, schema, RareLevels(kept["rare"]))
