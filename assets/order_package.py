"""What is in the package of an order: the table in the asked forms, manifest, report, licence, read-me.

Belongs here: gathering the files. Does not belong here: packing and encryption (``hub.repository``).
"""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from records.files import parquet_bytes
from use_cases.cohort import Cohort

if TYPE_CHECKING:
    from hub.delivery.tables import Order

README = """# {title}: synthetic data

{rows} synthetic rows. Nobody stands behind any of them: they were drawn from a model that saw the patients of the cohort
through noise only (differential privacy, epsilon {epsilon:.3g}, delta {delta:g}, neighbours: add or remove one patient).

| file | what it is |
|---|---|
{files}
The report tells how far analyses of these rows may be trusted. The manifest binds the rows to their making: the sha256 of
the table that was judged is {sha256}. Columns you did not ask for were left out after the judgement.
"""
LICENCE = """These synthetic data may be used for the purposes of the permit under which they were ordered (Regulation (EU)
2025/327, Articles 53 and 61). You must not try to re-identify anybody, nor use them for what Article 54 prohibits.
Acknowledge the source: {citation}
Terms of the source: {licence}
"""
WORDS = {
    "synthetic.parquet": "the table, with types", "synthetic.csv": "the table as text", "fhir/Patient.ndjson": "FHIR R4",
    "fhir/Encounter.ndjson": "FHIR R4", "fhir/Condition.ndjson": "FHIR R4", "fhir/Observation.ndjson": "FHIR R4",
    "fhir/MedicationStatement.ndjson": "FHIR R4", "fhir/Procedure.ndjson": "FHIR R4", "manifest.json": "how the table was made and what it cost in privacy",
    "report.html": "fidelity, utility and privacy, measured", "evaluation.json": "the same for machines",
    "LICENCE": "what you may do",
}  # fmt: skip


def write_package(
    folder: Path, order: "Order", table: pl.DataFrame, cohort: Cohort, manifest: dict[str, Any], page: str,
    document: dict[str, Any],
) -> Path:  # fmt: skip
    """Write the package into ``folder``; returns its path."""
    from hub.repository.package import pack

    spend = manifest["spend"]
    files = _tables(order, table, cohort) | {
        "manifest.json": json.dumps(manifest, indent=1).encode(), "report.html": page.encode(),
        "evaluation.json": json.dumps(document, indent=1).encode(),
        "LICENCE": LICENCE.format(citation=cohort.source.citation, licence=cohort.source.licence).encode(),
    }  # fmt: skip
    listed = "".join(f"| {name} | {WORDS.get(name, 'OMOP CDM 5.4')} |\n" for name in sorted(files))
    readme = README.format(title=cohort.table.title, rows=table.height, epsilon=spend["epsilon"], delta=spend["delta"],
                           files=listed, sha256=manifest["candidate_sha256"])  # fmt: skip
    return pack(files | {"README.md": readme.encode()}, folder / "package.zip")


def _tables(order: "Order", table: pl.DataFrame, cohort: Cohort) -> dict[str, bytes]:
    from deidentification.schema import released_schema
    from harmonisation.fhir.bundles import ndjson
    from harmonisation.omop.files import omop_files
    from use_cases.omop import omop_mapping

    chosen = table.select(order.columns) if order.columns else table
    schema = released_schema(cohort.table).select(chosen.columns)
    made: dict[str, bytes] = {}
    if "parquet" in order.formats:
        made["synthetic.parquet"] = parquet_bytes(chosen)
    if "csv" in order.formats or not made:
        text = io.BytesIO()
        chosen.write_csv(text)
        made["synthetic.csv"] = text.getvalue()
    if "omop" in order.formats:
        made |= omop_files(chosen, schema, omop_mapping(cohort))
    return made | ndjson(chosen, schema, synthetic=True) if "fhir" in order.formats else made
