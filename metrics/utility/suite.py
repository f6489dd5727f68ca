"""Everything that utility is measured by, in one call.

Belongs here: the order of the measurements and the keys of their JSON. Does not belong here: any measurement.
"""

from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from metrics.candidate import candidate_hash
from metrics.fairness import fairness
from metrics.utility.decision_curve import decision_curves
from metrics.utility.error_rates import Refit
from metrics.utility.importance import importance
from metrics.utility.inference_validity import inference_validity
from metrics.utility.prediction import utility_report
from metrics.utility.survival_model import cox_agreement
from metrics.utility.train_test import train_test
from records.schema import Column, Outcome, Schema


def utility_suite(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    outcome: Outcome,
    *,
    seed: int,
    refit: Refit | None = None,
    repetitions: int = 100,
    candidate_sha256: str | None = None,
    site: Column | None = None,
) -> dict[str, Any]:
    """Measure prediction, decisions, importance, Cox regression, inference and subgroups.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored.
    seed : int
        Of every random choice.
    refit : callable or None
        Training table and random generator to a synthetic table of as many rows; with it error rates of tests are
        measured by making ``2 * repetitions`` tables.
    candidate_sha256 : str or None
        Hash of the candidate's file; by default the hash of ``synthetic`` itself.
    site : Column or None
        Hospitals that the real tables name and the synthetic one does not (``metrics.fairness``).

    Returns
    -------
    dict
        JSON of ``metrics.utility.prediction.UtilityReport`` and, under ``decision_curve``, ``importance``, ``cox``,
        ``inference`` and ``subgroups``, of the other reports; ``reasons`` says of a part without figures why.
    """
    rngs = np.random.default_rng(seed).spawn(5)
    named = candidate_hash(synthetic, candidate_sha256)
    tables = (train, holdout, synthetic)
    trained = train_test(*tables, schema, outcome, seed=seed)
    risks = {side: fit.risk for side, fit in trained.chosen_fits.items()}
    with threadpool_limits(limits=1):
        parts = {
            "decision_curve": decision_curves(risks, trained.test.label, rng=rngs[0]).to_json(),
            "importance": importance(trained, rng=rngs[1]).to_json(),
            "cox": cox_agreement(*tables, schema, trained.columns, rng=rngs[2]).to_json(),
            "inference": inference_validity(
                train, synthetic, schema, outcome, rng=rngs[3], refit=refit, repetitions=repetitions
            ).to_json(),
            "subgroups": fairness(*tables, schema, outcome, trained, rng=rngs[4], site=site).to_json(),
        }
        report = utility_report(trained, outcome, seed=seed, candidate_sha256=named).to_json()
    reasons = {name: part["reason"] for name, part in parts.items() if part["reason"] is not None}
    return {**report, **parts, "reasons": reasons}
