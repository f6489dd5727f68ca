"""``phaseiv evaluate``: the whole evaluation of anybody's synthetic table, made by any tool.

Belongs here: files in, page and JSON out. Does not belong here: measuring and judging (``metrics``), or use cases, whose
evaluations are assets.
"""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from assets.refit import refit_of
from metrics.evaluation import Repeated, evaluate
from metrics.gate import Limits, judge
from metrics.plots.candidate import candidate_plots
from metrics.reporting.document import evaluation_document
from metrics.reporting.page import ReportContext, render_report
from orchestration.evaluation_input import Compared, Files, compared_tables
from records.codebook_file import read_codebook_file
from records.errors import ParameterError
from records.files import parquet_bytes, sha256, write_atomically
from records.privacy import PrivacySpend
from records.schema import Schema


class Synthesizer(NamedTuple):
    """One of ours, to be run again: ``shadows`` fits to attack it, ``refits`` to test its p-values."""

    name: str
    epsilon: float | None
    delta: float
    shadows: int
    refits: int


def evaluate_files(
    files: Files, out: Path, *, limits: Path | None, synthesizer: Synthesizer | None, seed: int,
    tell: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """Write the page to ``out`` and the JSON beside it; returns the JSON.

    Raises
    ------
    PhaseIVError
        A file, the codebook, a table or the limits are not fit; nothing is written then.
    """
    if out.suffix != ".html":
        raise ParameterError(f"out must end in .html, got {out.name}; the JSON is written beside it")
    bounds, tables = read_limits(limits), compared_tables(files)
    reports = evaluate(
        tables.train, tables.holdout, tables.synthetic, tables.schema, seed=seed, candidate_sha256=tables.sha256,
        repeated=_repeated(synthesizer, tables.schema), tell=tell,
    )  # fmt: skip
    tell("report")
    spend = stated_spend(files.synthetic, tables.sha256)
    verdict = judge(candidate_sha256=tables.sha256, rows=tables.synthetic.height, spend=spend, limits=bounds, **reports)
    provenance = {
        "real_sha256": _real_hash(tables), "seed": seed, "phaseiv": version("phaseiv"),
        "synthetic_file": files.synthetic.name, "codebook": files.codebook.name,
        **({"synthesizer": synthesizer.name} if synthesizer else {}),
    }  # fmt: skip
    title = f"{tables.schema.title}: {files.synthetic.name}"
    document = evaluation_document(title, reports, spend, verdict, provenance)
    page = render_report(
        ReportContext(
            title=title, use_case=tables.schema.title, cohort_title=tables.schema.title, citation="given by the user",
            licence="given by the user", schema=tables.schema, counts=_counts(reports["fidelity"]["rows"]), spend=spend,
            verdict=verdict, plots=candidate_plots(**reports), document=document, own=False,
            provenance={key: str(value) for key, value in provenance.items()}, fidelity=reports["fidelity"],
            utility=reports["utility"], privacy=reports["privacy"],
        )
    )  # fmt: skip
    write_atomically(out, page.encode())
    write_atomically(out.with_suffix(".json"), json.dumps(document, indent=1).encode())
    return document


def read_limits(path: Path | None) -> Limits:
    """Limits from a YAML file, its own or a use case's; by default those of a table without a stated guarantee.

    Raises
    ------
    CodebookError
        It is not a list of known limits.
    """
    if path is None:
        return Limits(allow_non_private=True)
    return read_codebook_file(
        path, lambda entry: Limits.model_validate(entry.get("limits", entry)), "list of the gate's limits"
    )


def stated_spend(synthetic: Path, digest: str) -> dict[str, Any]:
    """The privacy spend that the manifest beside the table states, if it is this table's; else none.

    A manifest is a statement of who made the table; nothing in the table itself can prove it.
    """
    beside = synthetic.with_suffix(synthetic.suffix + ".json")
    manifest = json.loads(beside.read_bytes()) if beside.exists() else {}
    stated = isinstance(manifest, dict) and manifest.get("sha256") == digest and "spend" in manifest
    return manifest["spend"] if stated else PrivacySpend().to_json()


def _repeated(synthesizer: Synthesizer | None, schema: Schema) -> Repeated | None:
    if synthesizer is None:
        return None
    name, epsilon, delta, shadows, refits = synthesizer
    return Repeated(refit_of(name, epsilon, delta, schema), shadows, refits)


def _real_hash(tables: Compared) -> str:
    """One hash of both real tables, as they are compared."""
    names = tables.schema.names
    return sha256(b"".join(parquet_bytes(t.select(names)) for t in (tables.train, tables.holdout)))


def _counts(rows: dict[str, int]) -> dict[str, int]:
    return {"real": rows["train"] + rows["holdout"], **rows}
