"""What each hospital's patients are worth: the asset ``valuation`` of a use case with several hospitals.

Belongs here: the de-identified parts of one deployment, valued by the agreed rule; an MLflow run; metadata of holders only. Does not
belong here: the rule (``hub.valuation``), money (``hub.money``), hospitals that keep their data apart: nothing is valued across a
network.

The test patients are those held out of every synthesis, of all hospitals together. A share is a figure of all patients without noise;
it goes to holders and the hub, not into a release. The result is sealed: a listing's split, its offers and agreements refer to it by its
digest; a buyer sees who earns in whole percent.
"""

import os
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
import polars as pl

from assets.workspace import Workspace
from records.errors import ParameterError
from records.files import TableFile
from records.schema import Schema
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

if TYPE_CHECKING:
    from hub.valuation.contribution import Holding, Valuation
    from hub.valuation.nearest import Labelled

FEWEST = 2  # hospitals


class ValuationConfig(dg.Config):
    """The terms that holders agreed on, the label's quality factor of each (1 by default), and a seed of the label test.

    ``registered`` tells when each hospital's data came (any unit that has an order; by default all at once): copies are the first's.
    """

    utility: str = "knn-balanced"
    neighbours: int = 30
    level: float = 0.05
    copies: str = "first"
    floor: float = 0.0
    quality: dict[str, float] = {}  # noqa: RUF012, pydantic copies it
    registered: dict[str, float] = {}  # noqa: RUF012
    seed: int = 0


def valuation_asset(use_case: UseCase, cohort: Cohort, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset ``valuation`` of one use case."""

    @dg.asset(
        key_prefix=use_case.key, group_name=use_case.key, owners=[use_case.owner], io_manager_key="reports",
        kinds={"mlflow"}, description="What each hospital's patients add to a stated utility: nearest-neighbour Shapley values.",
        ins={"deidentified": dg.AssetIn([use_case.key, "deidentified"], partition_mapping=dg.AllPartitionMapping())},
    )  # fmt: skip
    def valuation(context: dg.AssetExecutionContext, config: ValuationConfig, deidentified) -> dict:
        from deidentification.schema import deidentified_schema
        from hub.valuation.contribution import valued
        from hub.valuation.sealed import seal

        holdings, tests = _market(deidentified, deidentified_schema(cohort.table), config)
        terms = _terms(holdings, config)
        found = valued(holdings, tests, terms, np.random.default_rng(config.seed), _quality(holdings, config))
        sealed = seal(found, use_case=use_case.key, cohort=cohort.name, seed=config.seed,
                      versions={name: deidentified[name].sha256 for name in holdings},
                      registered={name: one.registered for name, one in holdings.items()})  # fmt: skip
        report = {"sha256": sealed.sha256, "valuation": sealed.plain}
        run = _recorded(use_case, workspace, context, found, report, config)
        context.add_output_metadata(
            {"shares": dg.MetadataValue.table(_table(found)), "sha256": sealed.sha256, "terms_sha256": terms.sha256, "mlflow_run_id": run,
             "utility": terms.utility, "test_patients": found.tests, "overlaps": len(found.overlaps)}
        )  # fmt: skip
        return report

    return valuation


def _market(
    parts: dict[str, TableFile], schema: Schema, config: ValuationConfig
) -> tuple[dict[str, "Holding"], "Labelled"]:
    """Each hospital's patients that are not held out, and the held out ones of all."""
    from deidentification.split import HOLDOUT
    from hub.valuation.contribution import Holding
    from hub.valuation.features import labelled
    from hub.valuation.fingerprints import fingerprints
    from records.outcome import binary_outcome

    if len(parts) < FEWEST or not schema.outcomes:
        raise ParameterError(f"a valuation must have two hospitals and an outcome, got {len(parts)}; see the codebook")
    # Drawn anew for each run and forgotten: fingerprints of one run say nothing to another.
    outcome, key, found, held_out = schema.outcomes[0], os.urandom(32), {}, []
    for name, part in sorted(parts.items()):
        known = part.frame.filter(binary_outcome(part.frame, schema, outcome).is_not_null())
        held_out.append(known.filter(HOLDOUT))
        own = known.filter(~pl.col(HOLDOUT))
        if own.height:
            when = config.registered.get(name, 0.0)
            found[name] = Holding(labelled(own, schema, outcome)[0], fingerprints(own, schema, key), when)
    return found, labelled(pl.concat(held_out), schema, outcome)[0]


def _terms(holdings: dict[str, "Holding"], config: ValuationConfig) -> Any:
    from pydantic import ValidationError

    from hub.valuation.contribution import Terms
    from hub.valuation.copies import likeness

    values = config.model_dump(include={"utility", "neighbours", "level", "copies", "floor"})
    values["floor"] = str(values["floor"])
    try:
        return Terms.model_validate({**values, "alike": likeness([h.prints for h in holdings.values()])})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise ParameterError(f"terms must be well formed, got {wrong}; mend the run's configuration") from None


def _quality(holdings: dict[str, "Holding"], config: ValuationConfig) -> dict[str, float]:
    return {name: config.quality.get(name, 1.0) for name in holdings}


def _table(found: "Valuation") -> list[dg.TableRecord]:
    return [
        dg.TableRecord({"holder": one.holder, "state": one.state, "share": f"{float(one.share):.4f}"})
        for one in found.lines
    ]


def _recorded(
    use_case: UseCase, workspace: Workspace, context: dg.AssetExecutionContext, found: "Valuation",
    report: dict[str, Any], config: ValuationConfig,
) -> str:  # fmt: skip
    from assets.federated_jobs import as_bytes
    from assets.tracking import Tracking
    from hub.valuation.explanation import shares_plot, steps_plot

    pictures = {f"{line.holder}.png": steps_plot(found, line.holder) for line in found.lines}
    return Tracking(workspace).record(
        use_case.key, "valuation", params={**found.terms.model_dump(mode="json"), "seed": config.seed},
        metrics={f"share.{line.holder}": float(line.share) for line in found.lines} | {"total": found.total},
        tags={"dagster_run_id": context.run.run_id, "terms_sha256": found.terms.sha256, "valuation_sha256": report["sha256"]},
        files={"valuation.json": as_bytes(report), "shares.png": shares_plot(found), **pictures},
    )  # fmt: skip
