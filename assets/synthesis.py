"""The synthetic candidate, and the sweep over privacy budgets.

Belongs here: debit, fit, sample, track. Does not belong here: judging the candidate (``evaluation``).
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from assets.answers import SynthesisConfig, answered
from assets.columns import column_lineage, column_schema, unchanged
from assets.manifest import data_version, pooled, write_manifest
from assets.workspace import Workspace
from records.files import parquet_bytes, sha256
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


def synthetic_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset ``synthetic`` of one use case."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, kinds={"polars", "mlflow"}, owners=[use_case.owner],
        io_manager_key="tables", description="Synthetic candidate, learnt from the training patients only.",
    )  # fmt: skip
    def synthetic(context: dg.AssetExecutionContext, config: SynthesisConfig, deidentified) -> pl.DataFrame:
        from assets.tracking import Tracking
        from deidentification.schema import released_schema
        from models.description import described

        schema = released_schema(cohort.table)
        version = data_version(deidentified)
        train, _ = pooled(deidentified)
        model = answered(train, schema, use_case, version, config, workspace, run_id=context.run.run_id)
        frame = model.sample(rng=np.random.default_rng(config.seed))
        learnt = described(model)
        if "warning" in learnt:
            context.log.warning(learnt["warning"])
        params = run_parameters(config, use_case, cohort, version) | {"family": learnt["family"], "why": learnt["why"]}
        sha = sha256(parquet_bytes(frame))
        run = Tracking(workspace).record(
            use_case.key, f"synthesis {config.synthesizer}", params=params,
            metrics={"rows": frame.height, "rho": model.privacy_.rho, "epsilon_spent": model.privacy_.epsilon,
                     "measured_marginals": learnt.get("marginals"), "expected_error": learnt.get("expected_error"),
                     **{key: learnt.get(key) for key in ("epochs", "validation_loss", "noise_multiplier")}},
            tags={"dagster_run_id": context.run.run_id, "candidate_sha256": sha},
            files={"spend.json": json.dumps(model.privacy_.to_json(), indent=1).encode(),
                   "model.json": json.dumps(learnt, indent=1).encode()},
        )  # fmt: skip
        spend = model.privacy_.to_json()
        manifest = {"candidate_sha256": sha, "mlflow_run": run, "spend": spend, "params": params, "model": learnt,
                    "rows": frame.height}  # fmt: skip
        write_manifest(workspace, use_case.key, manifest)
        context.add_output_metadata(
            {"dagster/row_count": frame.height, "dagster/column_schema": column_schema(schema), "mlflow_run_id": run,
             "candidate_sha256": sha, "epsilon": str(config.epsilon), "model": dg.MetadataValue.json(learnt),
             "dagster/column_lineage": column_lineage([use_case.key, "deidentified"], unchanged(schema))}
        )  # fmt: skip
        return frame

    return synthetic


def code_commit() -> str:
    """Commit of the code that runs, or ``unknown`` outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def run_parameters(config: SynthesisConfig, use_case: UseCase, cohort: Cohort, version: str) -> dict[str, Any]:
    """What MLflow shows of a synthesis. The seed only drives sampling; noise has no seed."""
    return {
        "synthesizer": config.synthesizer, "epsilon": config.epsilon, "delta": use_case.delta, "seed": config.seed,
        "neighbouring": "add or remove one patient", "cohort": cohort.name, "data_version": version,
        "code_commit": code_commit(),
    }  # fmt: skip
