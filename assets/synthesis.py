"""The synthetic candidate, and the sweep over privacy budgets.

Belongs here: debit, fit, sample, track. Does not belong here: judging the candidate (``evaluation``).
"""

import json
import os
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from assets.cohort import column_schema
from assets.manifest import data_version, pooled, write_manifest
from assets.workspace import Workspace
from records.files import parquet_bytes, sha256, write_atomically
from records.schema import Schema
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


class SynthesisConfig(dg.Config):
    """``epsilon`` null asks for no differential privacy; the gate then refuses the candidate."""

    synthesizer: str = "marginals"
    epsilon: float | None = 5.0
    seed: int = 0


def synthetic_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset ``synthetic`` of one use case."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, kinds={"polars", "mlflow"}, owners=[use_case.owner],
        io_manager_key="tables", description="Synthetic candidate, learnt from the training patients only.",
    )  # fmt: skip
    def synthetic(context: dg.AssetExecutionContext, config: SynthesisConfig, deidentified) -> pl.DataFrame:
        from assets.tracking import Tracking
        from deidentification.schema import released_schema

        schema = released_schema(cohort.table)
        version = data_version(deidentified)
        train, _ = pooled(deidentified)
        model = answered(train, schema, use_case, version, config, workspace, run_id=context.run.run_id)
        frame = model.sample(rng=np.random.default_rng(config.seed))
        params = run_parameters(config, use_case, cohort, version)
        sha = sha256(parquet_bytes(frame))
        run = Tracking(workspace).record(
            use_case.key, f"synthesis {config.synthesizer}", params=params,
            metrics={"rows": frame.height, "rho": model.privacy_.rho, "epsilon_spent": model.privacy_.epsilon},
            tags={"dagster_run_id": context.run.run_id, "candidate_sha256": sha},
            files={"spend.json": json.dumps(model.privacy_.to_json(), indent=1).encode()},
        )  # fmt: skip
        spend = model.privacy_.to_json()
        manifest = {"candidate_sha256": sha, "mlflow_run": run, "spend": spend, "params": params, "rows": frame.height}
        write_manifest(workspace, use_case.key, manifest)
        context.add_output_metadata(
            {"dagster/row_count": frame.height, "dagster/column_schema": column_schema(schema), "mlflow_run_id": run,
             "candidate_sha256": sha, "epsilon": str(config.epsilon), "dagster/column_lineage": _lineage(use_case, schema)}
        )  # fmt: skip
        return frame

    return synthetic


def answered(
    train: pl.DataFrame, schema: Schema, use_case: UseCase, version: str, config: SynthesisConfig,
    workspace: Workspace, *, run_id: str, account: str = "release",
) -> Any:  # fmt: skip
    """A fitted synthesizer. A private question is debited before noise is drawn, and answered once: asked again on
    the same data, it gets the same noisy answers and costs nothing."""
    from models.accounting import epsilon_to_rho
    from models.registry import build
    from records.privacy import Mechanism, PrivacySpend

    model = build(config.synthesizer, delta=use_case.delta)
    rng = np.random.default_rng(config.seed)
    if config.epsilon is None or config.synthesizer != "marginals":
        rows = train.filter("k_anonymous").select(schema.names)
        budget = None if config.epsilon is None else epsilon_to_rho(config.epsilon, use_case.delta)
        return model.fit(rows, schema, budget=budget, rng=rng)
    rho = epsilon_to_rho(config.epsilon, use_case.delta)
    asked = [version, schema.model_dump_json(), config.synthesizer, config.epsilon, use_case.delta]
    question = sha256(json.dumps([*asked, account, run_id if account == "internal" else ""]).encode())
    store = workspace.home / "measurements" / f"{question}.json"
    if account == "release" and store.exists():
        kept = json.loads(store.read_bytes())
        used = tuple(Mechanism(**m) for m in kept["spend"].pop("mechanisms"))
        model.privacy_ = PrivacySpend(used, **kept["spend"])
        return model.load({k: np.array(v) for k, v in kept["answers"].items()}, schema, sigma=used[0].sigma)
    debit(workspace, use_case, schema.name, rho, config.epsilon, question, account, run_id)
    model.fit(train.select(schema.names), schema, budget=rho, rng=rng)
    if account == "release":
        answers = {k: v.tolist() for k, v in model.measurements_.items()}
        write_atomically(store, json.dumps({"spend": model.privacy_.to_json(), "answers": answers}).encode())
    return model


def debit(
    workspace: Workspace, use_case: UseCase, cohort: str, rho: float, epsilon: float, question: str, account: str,
    run_id: str,
) -> None:  # fmt: skip
    """Enter one debit in the ledger, before the data is touched."""
    from hub.budget import BudgetLedger

    BudgetLedger(workspace.ledger_url).debit(
        cohort, rho=rho, total_rho=use_case.budget_rho, epsilon=epsilon, delta=use_case.delta, question=question,
        account=account, run_id=run_id,
    )  # fmt: skip


def run_parameters(config: SynthesisConfig, use_case: UseCase, cohort: Cohort, version: str) -> dict[str, Any]:
    """What MLflow shows of a synthesis. The seed only drives sampling; noise has no seed."""
    return {
        "synthesizer": config.synthesizer, "epsilon": config.epsilon, "delta": use_case.delta, "seed": config.seed,
        "neighbouring": "add or remove one patient", "cohort": cohort.name, "data_version": version,
        "code_commit": os.environ.get("PHASEIV_COMMIT", "unknown"),
    }  # fmt: skip


def _lineage(use_case: UseCase, schema: Schema) -> dg.TableColumnLineage:
    upstream = dg.AssetKey([use_case.key, "deidentified"])
    return dg.TableColumnLineage({n: [dg.TableColumnDep(asset_key=upstream, column_name=n)] for n in schema.names})
