"""Raw and de-identified cohort, one partition per hospital.

Belongs here: the two assets that stay at the hospitals. Does not belong here: anything that pools them.
"""

from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from assets.columns import column_lineage, column_schema, deidentified_origins
from assets.workspace import Workspace
from records.schema import Schema
from use_cases.cohort import Cohort
from use_cases.registry import UseCase


class CohortConfig(dg.Config):
    """``file`` (or a folder of FHIR bundles or DICOM files, or an OMOP database's URL) takes the place of the cohort's own for this run.

    A run's configuration is shown in the UI: a URL with a password belongs in ``PHASEIV_COHORTS__<USE_CASE>``.
    """

    file: str | None = None


def cohort_assets(
    use_case: UseCase, cohort: Cohort, place: str | None, workspace: Workspace
) -> list[dg.AssetsDefinition]:
    """The assets ``raw_cohort`` and ``deidentified`` of one use case."""
    partitions = dg.StaticPartitionsDefinition(cohort.site_names)
    shared = {
        "key_prefix": use_case.key, "group_name": use_case.key, "partitions_def": partitions, "kinds": {"polars"},
        "owners": [use_case.owner], "io_manager_key": "tables", "backfill_policy": dg.BackfillPolicy.single_run(),
    }  # fmt: skip
    simulated = "" if cohort.sites.column else " The split into hospitals is simulated: sites were not recorded."

    @dg.asset(**shared, description=f"{cohort.table.title}, validated against its codebook.{simulated}")
    def raw_cohort(context: dg.AssetExecutionContext, config: CohortConfig) -> dict[str, pl.DataFrame]:
        frame, counts = _scanned(cohort, config.file or place)
        if workspace.opted_out.exists():
            _refuse_person_ids(cohort, counts)
        site = cohort.assign_sites(frame)
        tables = {name: frame.filter(site == name) for name in context.partition_keys}
        for name, table in tables.items():
            # of the whole source, before it is split by hospital
            _describe(context, name, table, cohort.table, **counts)
        return tables

    @dg.asset(**shared, description=f"Pseudonyms, days, coarse quasi-identifiers; rows below k = {use_case.k} flagged.")
    def deidentified(context: dg.AssetExecutionContext, raw_cohort) -> dict[str, pl.DataFrame]:
        from deidentification.anonymity.risk import people_per_patient
        from deidentification.key_register import hospital_key
        from deidentification.pipeline import deidentify
        from deidentification.pipeline_risk import generalised_columns, removed_columns, risks
        from deidentification.project_keys import fingerprint

        key = hospital_key(workspace.home, workspace.pseudonym_key, today=date.today())
        lineage = column_lineage([use_case.key, "raw_cohort"], deidentified_origins(cohort.table))
        tables = {}
        for name in context.partition_keys:
            raw = _without_opted_out(raw_cohort[name].frame, cohort.table, workspace, key)
            done = deidentify(raw, cohort.table, key=key, k=use_case.k)
            tables[name] = done.frame
            people = people_per_patient(cohort.sampling_fraction)
            before, after = risks(raw, cohort.table, done, population_multiplier=people)
            facts = {
                "dagster/column_lineage": lineage, "k": use_case.k, "key": fingerprint(key), **done.counts.to_json(),
                "opted_out": raw_cohort[name].frame.height - raw.height, "removed": removed_columns(cohort.table), "generalised": generalised_columns(cohort.table),
                "risk_before": before.to_json(), "risk_of_rows_handed_out": after.to_json(),
            }  # fmt: skip
            _describe(context, name, done.frame, done.schema, **facts)
        return tables

    return [raw_cohort, deidentified]  # type: ignore[return-value]


def _scanned(cohort: Cohort, place: str | None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The validated cohort and what its source left out, in counts; it is scanned first, so that identifiers are called
    what they are."""
    from deidentification.identification.scan import refuse_identifiers
    from records.validation import validate
    from use_cases.sources import place_name, read_source

    if place is None:
        frame = cohort.load()
        refuse_identifiers(frame, cohort.table, source=cohort.name)
        return frame, {}
    read, name = read_source(cohort, place), place_name(place)
    refuse_identifiers(read.frame, cohort.table, source=name)
    return validate(read.frame, cohort.table, source=name), {kind: dict(n) for kind, n in read.counts.items()}


def _refuse_person_ids(cohort: Cohort, counts: dict[str, Any]) -> None:
    """Objections are recorded by the hospital's number, which such a database does not hold."""
    from records.errors import StorageError
    from use_cases.sources import BY_PERSON_ID

    if (by_model := counts.get("omop", {}).get(BY_PERSON_ID, 0)) > 0:
        raise StorageError(
            f"the OMOP database of {cohort.name} must hold person_source_value where there is a register of opt-outs, got "
            f"{by_model} persons without; fill it with the number by which objections are recorded"
        )


def _without_opted_out(frame: pl.DataFrame, schema: Schema, workspace: Workspace, key: bytes) -> pl.DataFrame:
    """Rows of patients who have not opted out up to today by the register in the home folder, if there is one."""
    from deidentification.kept_keys import former_keys
    from deidentification.opt_out import OptOuts, refuse_studies
    from deidentification.pseudonyms import key_from_text

    register = workspace.opted_out
    hub_key = key_from_text(workspace.opt_out_key) if workspace.opt_out_key else None
    if schema.identifier is None or not register.exists():
        return frame
    refuse_studies(schema)
    choices = OptOuts(register, date.today(), key, hub_key, former_keys(workspace.home))
    return frame.filter(~choices.of(frame[schema.identifier.name]))


def _describe(context: dg.AssetExecutionContext, name: str, table: pl.DataFrame, schema: Schema, **facts: Any) -> None:
    shown = {"dagster/row_count": table.height, "dagster/column_schema": column_schema(schema), **facts}
    context.add_asset_metadata(shown, partition_key=name)
