"""Making a record of a cohort from what is publicly known: its codebook, its source, an evaluation of released data.

Belongs here: filling in a description. Does not belong here: reading files, measuring. Nothing of it is computed from rows
of patients; counts come from the evaluation and are rounded.
"""

from collections.abc import Mapping
from typing import Any

from hub.catalogue.record import Agent, DatasetRecord, Distribution, Label, Sample, Variable
from hub.catalogue.vocabulary import REGULATION, THEME_HEALTH
from records.schema import Column, Kind, Schema

ROUNDED_TO = 10
MISSING_STEP = 0.05
TYPES = {
    Kind.TEXT: "string",
    Kind.CATEGORY: "string",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.DATE: "date",
}


def record_of(
    schema: Schema, *, identifier: str, description: str, citation: str, licence: str, publisher: Agent, access_body: Agent,
    hub_url: str, dataset_id: str, keywords: list[str], categories: list[str], simulated: str | None = None,
    evaluation: Mapping[str, Any] | None = None, sample: Sample | None = None, plots: Mapping[str, str] | None = None,
    quality: Mapping[str, str] | None = None,
) -> DatasetRecord:  # fmt: skip
    """The record of a cohort.

    Parameters
    ----------
    schema : Schema
        Of the de-identified table.
    evaluation : mapping or None
        JSON of an evaluation (``phaseiv-evaluation/1``) of released data; gives counts and the label's figures.
    quality : mapping or None
        Facts of the data-quality checks: shares of checks that pass.
    """
    released = evaluation if evaluation and evaluation.get("verdict", {}).get("released", True) else None
    people = _rounded((evaluation or {}).get("counts", {}))
    missing = missing_shares(released or {})
    return DatasetRecord(
        title=schema.title, description=description, identifier=identifier, applicable_legislation=[REGULATION],  # type: ignore[list-item]
        keywords=keywords, themes=[THEME_HEALTH], types=["PERSONAL_DATA"], health_categories=categories,
        provenance=citation, contact=publisher, publisher=publisher, access_body=access_body,
        distributions=[
            Distribution(title="Ask for access", access_url=f"{hub_url}/catalogue/{dataset_id}/request", format="CSV")  # type: ignore[arg-type]
        ],
        variables=[variable_of(column, missing.get(column.name)) for column in schema.columns], records=people, individuals=people,
        citation=citation, licence=licence, simulated=simulated, label=label_of(schema, citation, people, released, quality),
        sample=sample, plots=dict(plots or {}),
    )  # fmt: skip


def missing_shares(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """Column to share of missing values in the *released synthetic* data, to the next 5 %: nothing more is spent for it."""
    columns = ((evaluation.get("fidelity") or {}).get("missingness") or {}).get("columns") or []
    known = {c["name"]: c.get("synthetic") for c in columns}
    return {name: round(share / MISSING_STEP) * MISSING_STEP for name, share in known.items() if share is not None}


def variable_of(column: Column, missing_share: float | None = None) -> Variable:
    """A column as the codebook describes it: public bounds and levels only."""
    bounds = f"{column.minimum:g} to {column.maximum:g}" if column.numeric else None
    return Variable(
        name=column.name, label=column.label, datatype=TYPES[column.kind], unit=column.unit, codes=dict(column.codes),  # type: ignore[arg-type]
        levels=dict(column.levels), public_range=bounds, missing_share=missing_share,
    )  # fmt: skip


def label_of(
    schema: Schema, citation: str, people: int | None, evaluation: Mapping[str, Any] | None,
    quality: Mapping[str, str] | None = None,
) -> Label:  # fmt: skip
    """The label of Article 78(3); what nobody has measured is left out rather than guessed."""
    coded = sum(bool(c.codes) for c in schema.columns)
    documentation = {
        "data dictionary": f"{len(schema.columns)} variables, all described",
        "standards": f"{coded} of {len(schema.columns)} variables carry a LOINC, SNOMED CT or ICD code",
        "source": citation,
    }
    validity = {"validity": "every value is checked against the codebook when it is loaded; a breach stops the run"}
    coverage = {}
    if people:
        coverage["people"] = f"about {people}"
    return Label(
        documentation=documentation, technical_quality=validity | _measured(evaluation or {}) | dict(quality or {}), coverage=coverage,
        management={"process": "automatic checks in each run, with lineage from release to raw cohort"},
        access={"time to provide": "anonymous synthetic data within minutes of a request that a standing offer covers"},
        modifications={"de-identification": "pseudonyms, days since the index date, coarse quasi-identifiers"},
    )  # fmt: skip


def _measured(evaluation: Mapping[str, Any]) -> dict[str, str]:
    """What the evaluation of released synthetic data tells of their use."""
    utility, fidelity = evaluation.get("utility") or {}, evaluation.get("fidelity") or {}
    found: dict[str, str] = {}
    if shares := missing_shares(evaluation):
        found["completeness"] = f"{1 - sum(shares.values()) / len(shares):.0%} on average where values may be missing"
    if (broken := fidelity.get("broken_rows")) is not None:
        found["consistency"] = f"{broken:.0%} of synthetic rows break a rule of the codebook"
    if (auc := utility.get("tstr_auc")) is not None and (real := utility.get("trtr_auc")) is not None:
        found["prediction from synthetic data (AUC)"] = f"{auc:.2f}; from real data {real:.2f}"
    if (distance := fidelity.get("mean_tvd2")) is not None:
        found["distance of pairs (two-way TVD)"] = f"{distance:.2f}"
    return found


def _rounded(counts: Mapping[str, int]) -> int | None:
    total = counts.get("train", 0) + counts.get("holdout", 0)
    return round(total / ROUNDED_TO) * ROUNDED_TO or None
