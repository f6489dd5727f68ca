"""What a researcher's machine gets from hospitals that keep their data: statistics, a model, a synthetic table.

Belongs here: the assets ``federated_statistics``, ``federated_model`` and ``federated_synthetic`` of a use case. They ask
running parties over the network and read no table of patients. Does not belong here: the parties, or the asking
(``federated_jobs``).
"""

import base64
from dataclasses import asdict
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from assets.columns import column_schema
from assets.federated_jobs import FederatedConfig, Federation, as_bytes, costs, logged
from records.files import parquet_bytes, sha256
from records.privacy import PrivacySpend
from records.schema import Schema

HIDDEN, ROUNDS = 16, 60  # of the network
MECHANISMS = {
    "discrete Gaussian": "distributed discrete Gaussian, a part from each party",
    "exponential": "report noisy max with geometric noise, a part from each party",
}
ASSETS = ("federated_statistics", "federated_model", "federated_synthetic")


def federated_assets(federation: Federation) -> list[dg.AssetsDefinition]:
    """The three assets of one use case."""
    use_case = federation.use_case
    stored = {"key_prefix": use_case.key, "group_name": use_case.key, "owners": [use_case.owner]}
    return [make(federation, stored) for make in (_statistics, _model, _synthetic)]


def _statistics(federation: Federation, stored: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        **stored, io_manager_key="reports", kinds={"mpc"},
        description="Kaplan-Meier curve, counts and means over hospitals that keep their data; small cells suppressed.",
    )  # fmt: skip
    def federated_statistics(context: dg.AssetExecutionContext, config: FederatedConfig) -> dict:
        from metrics.plots.federated import survival_plot

        schema, found = federation.schema, {}
        for kind, columns in statistics_of(schema).items():
            job = federation.job(config, kind, columns)
            result = federation.done(context, job)
            found[kind] = {"result": result.value, "costs": costs(result)}
            files = {f"{kind}.json": as_bytes(result.value)}
            if kind == "kaplan_meier":
                files["kaplan_meier.png"] = survival_plot(result.value)
                context.add_output_metadata({"Kaplan-Meier": _picture(files["kaplan_meier.png"])})
            shown = federation.recorded(context, f"federated {kind}", job, result, files)
            context.add_output_metadata({f"{kind}: {name}": value for name, value in shown.items()})
        return found

    return federated_statistics  # type: ignore[return-value]


def _model(federation: Federation, stored: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        **stored, io_manager_key="reports", kinds={"mpc"},
        description="Logistic and Cox regression and a small network as pooled patients would give them, whom nobody pools.",
    )  # fmt: skip
    def federated_model(context: dg.AssetExecutionContext, config: FederatedConfig) -> dict:
        from metrics.plots.federated import coefficients_plot, training_plot

        found = {}
        for kind, (columns, parameters) in models_of(federation.schema).items():
            job = federation.job(config, kind, columns, parameters=parameters)
            result = federation.done(context, job)
            found[kind] = {"result": result.value, "costs": costs(result)}
            trained = kind == "training"
            picture = training_plot(result.value) if trained else coefficients_plot(result.value, title=kind)
            files = {f"{kind}.json": as_bytes(result.value), f"{kind}.png": picture}
            shown = federation.recorded(context, f"federated {kind}", job, result, files)
            shown |= result.value.get("evaluation") or {}
            context.add_output_metadata({kind: _picture(picture), **{f"{kind}: {n}": v for n, v in shown.items()}})
        return found

    return federated_model  # type: ignore[return-value]


def _synthetic(federation: Federation, stored: dict[str, Any]) -> dg.AssetsDefinition:
    use_case, cohort = federation.use_case, federation.cohort

    @dg.asset(
        **stored, io_manager_key="tables", kinds={"mpc", "polars", "mlflow"},
        description="Synthetic table learnt without access to patients: noisy tables and choices come out of the protocol.",
    )  # fmt: skip
    def federated_synthetic(context: dg.AssetExecutionContext, config: FederatedConfig) -> pl.DataFrame:
        from deidentification.schema import released_schema
        from federation.oracle import federated_oracle
        from hub.budget import BudgetLedger
        from models.attributes import attribute_levels
        from models.graphical_synthesizer import GraphicalSynthesizer
        from records.accounting import epsilon_to_rho

        schema, rho = released_schema(cohort.table), epsilon_to_rho(config.epsilon, use_case.delta)
        privacy = {"rho": rho, "epsilon": config.epsilon, "delta": use_case.delta, "collusion": config.collusion}
        job = federation.job(config, "synthesis", schema.names, **privacy)
        # Every hospital debits its own log; this deployment's ledger also knows what its researcher has asked.
        BudgetLedger(federation.workspace.ledger_url).debit(
            cohort.name, rho=rho, total_rho=use_case.budget_rho, epsilon=config.epsilon, delta=use_case.delta,
            question=job.sha256, run_id=context.run.run_id,
        )  # fmt: skip
        model = GraphicalSynthesizer(delta=use_case.delta)
        with federated_oracle(federation.settings, job, attribute_levels(schema), logged(context, job)) as oracle:
            model.fit_oracle(oracle, schema, budget=rho)
            result = oracle.finish()
        frame = model.sample(rng=np.random.default_rng(config.seed))
        spend = told(model.privacy_, job.colluding, len(job.participants))
        shown = federation.recorded(context, "federated synthesis", job, result, {"spend.json": as_bytes(spend)})
        context.add_output_metadata(
            {**shown, "dagster/row_count": frame.height, "dagster/column_schema": column_schema(schema),
             "candidate_sha256": sha256(parquet_bytes(frame)), "epsilon": config.epsilon, "spend": dg.MetadataValue.json(spend)}
        )  # fmt: skip
        return frame

    return federated_synthetic  # type: ignore[return-value]


def statistics_of(schema: Schema) -> dict[str, list[str]]:
    """Kinds of statistics to their columns, as far as the codebook has them."""
    numbers = [c.name for c in schema.features() if c.numeric]
    wanted = {"count": [], "histogram": [c.name for c in schema.features()], "moments": numbers}
    if schema.time is not None and schema.event is not None:
        wanted["kaplan_meier"] = [schema.time.name, schema.event.name]
    return {kind: columns for kind, columns in wanted.items() if columns or kind == "count"}


def models_of(schema: Schema) -> dict[str, tuple[list[str], dict[str, Any]]]:
    """Kinds of models to their columns and parameters."""
    # Models use patients whose columns are all known: columns that may be missing would leave few of them.
    covariates = [c.name for c in schema.features() if not c.missing]
    followed = [c.name for c in (schema.time, schema.event) if c is not None]
    wanted: dict[str, tuple[list[str], dict[str, Any]]] = {}
    if schema.outcomes and (column := schema.outcomes[0].column) is not None:
        wanted["logistic"] = ([column, *covariates], {"outcome": column, "positive": list(schema.outcomes[0].positive)})
    elif schema.outcomes and len(followed) == 2:
        wanted["logistic"] = ([*followed, *covariates], {"horizon": schema.outcomes[0].horizon})
    if len(followed) == 2:
        # Each hospital has its own baseline hazard, as in a multicentre analysis; the pooled one takes minutes.
        wanted["cox"] = ([*followed, *covariates], {"strata": "site"})
    if "logistic" in wanted:
        columns, parameters = wanted["logistic"]
        wanted["training"] = (columns, {**parameters, "hidden": HIDDEN, "rounds": ROUNDS})
    return wanted


def told(spend: PrivacySpend, colluding: int, parties: int) -> dict[str, Any]:
    """The spend with the mechanisms as parties have run them, and whom the stated epsilon protects against."""
    mechanisms = [{**asdict(m), "name": MECHANISMS.get(m.name, m.name)} for m in spend.mechanisms]
    against = f"everyone, and any {colluding} of the {parties} parties together"
    if colluding == 0:
        against = f"everyone but the {parties} parties, who know their own parts of the noise"
    return spend.to_json() | {"mechanisms": mechanisms, "protects_against": against}


def _picture(png: bytes) -> dg.MetadataValue:
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})")
