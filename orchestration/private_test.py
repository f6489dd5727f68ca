"""``phaseiv private-test``: how well synthetic patients train a classifier, told to who may not see real ones.

Belongs here: reading, debiting, asking once, writing. Does not belong here: the noisy AUC (``metrics.utility.private_test``).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from assets.workspace import Workspace
from hub.budget import BudgetLedger
from metrics.utility.classifiers import classifiers, predicted_risk
from metrics.utility.features import feature_columns, labelled
from metrics.utility.private_test import private_auc
from orchestration.evaluation_input import in_one_form
from orchestration.own_table import Allowance
from records.accounting import epsilon_to_rho
from records.errors import ParameterError
from records.files import sha256, write_atomically
from records.noise import discrete_gaussian

MODEL = "logistic"
SEED = 0


def answer_privately(
    test: Path, synthetic: Path, codebook: Path, epsilon: float, allowance: Allowance, workspace: Workspace
) -> dict[str, Any]:
    """AUC on real test patients of a logistic regression trained on a synthetic table, differentially private.

    The model and its settings are fixed beforehand and see the synthetic table only; the test patients are touched once, by
    noisy counts of scores on a public grid. The ledger is debited for them before noise is drawn; the same question asked
    again gets the same answer and costs nothing (Movahedi et al., 2024: limited private access to real test data).

    Returns
    -------
    dict
        JSON of ``PrivateAuc`` with ``epsilon`` and ``delta``: it may be told to anyone.

    Raises
    ------
    PhaseIVError
        A file or table is not fit, the synthetic outcome has one class, or the budget does not hold the question.
    """
    tables, made, schema = in_one_form({"test": test}, synthetic, codebook)
    rho, outcome = epsilon_to_rho(epsilon, allowance.delta), schema.outcomes[0]
    asked = [sha256(path.read_bytes()) for path in (test, synthetic, codebook)]
    question = sha256(json.dumps([*asked, MODEL, epsilon, allowance.delta]).encode())
    store = workspace.home / "private_tests" / f"{question}.json"
    if store.exists():
        return json.loads(store.read_bytes())
    columns, learnt = feature_columns(schema, outcome), labelled(made, schema, outcome)
    if not learnt.two_classes:
        raise ParameterError(f"{outcome.name} must have both classes in the synthetic table, got one; draw more rows")
    model = classifiers(columns, SEED)[MODEL].fit(learnt.matrix, learnt.label)
    held = labelled(tables["test"], schema, outcome)
    BudgetLedger(workspace.ledger_url).debit(
        f"{schema.name}/test", rho=rho, total_rho=allowance.budget_rho, epsilon=epsilon, delta=allowance.delta,
        question=question, run_id="phaseiv private-test",
    )  # fmt: skip
    found = private_auc(
        predicted_risk(model, held.matrix), held.label, rho=rho, noise=discrete_gaussian,
        rng=np.random.default_rng(SEED), edges=_grid(predicted_risk(model, learnt.matrix)),
    )  # fmt: skip
    answer = {**found.to_json(), "epsilon": epsilon, "delta": allowance.delta, "outcome": outcome.label, "model": MODEL}
    write_atomically(store, json.dumps(answer, indent=1).encode())
    return answer


def _grid(scores: np.ndarray) -> np.ndarray:
    """Twenty cells that hold equally many synthetic patients: public, for the synthetic table is."""
    inner = np.unique(np.quantile(scores, np.linspace(0, 1, 21)[1:-1]).round(6))
    return np.array([0.0, *inner[(inner > 0) & (inner < 1)], 1.0])
