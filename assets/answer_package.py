"""What is in the package of a computation: the answer or table, what the parties signed, manifest, report, licence, read-me.

Belongs here: gathering the files. Does not belong here: asking the parties (``federated_orders``), packing and encryption
(``hub.repository``).
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.federated_jobs import as_bytes, by_party
from assets.order_package import LICENCE
from records.files import TableFile, parquet_bytes
from use_cases.cohort import Cohort

if TYPE_CHECKING:
    from federation.jobs.job import Job
    from federation.party.researcher import Result
    from hub.delivery.tables import Order
    from metrics.gate import Verdict

README = """# {title}: {kind} computed by {parties} parties

{lead} No row of a patient left a hospital. {guarantee}

| file | what it is |
|---|---|
{files}
All parties agreed on the job with sha256 {job} before any share was sent, and signed, each with the key of its certificate,
these three lines (ECDSA, SHA-256; `signatures` in the manifest):

    phaseiv party result 1
    {job}
    {result}

The last is the sha256 of `result.signed.json`, byte for byte what the parties opened.
"""
WORDS = {
    "answer.json": "the answer, readable", "result.signed.json": "what the parties opened and signed",
    "synthetic.parquet": "the synthetic table, with types", "synthetic.csv": "the table as text",
    "picture.png": "the answer, drawn", "manifest.json": "question, job, parties, signatures and cost in privacy",
    "report.html": "the same for people", "LICENCE": "what you may do",
}  # fmt: skip
EXACT = (
    "The answer is exact: it has no differential privacy. Counts below {least} were suppressed inside the protocol, before "
    "anybody saw them."
)
PRIVATE = (
    "Differential privacy with epsilon {epsilon:.3g} and delta {delta:g} (add or remove one patient). Each party added its "
    "part of the noise, which nobody knows as a whole: it protects against everyone, and any {colluding} of the {parties} "
    "parties together."
)


@dataclass(frozen=True)
class Answer:
    """What came out of a job; ``table`` and ``verdict`` of a synthesis only, ``spend`` where there was noise."""

    job: "Job"
    result: "Result"
    spend: dict[str, Any] | None = None
    table: TableFile | None = None
    verdict: "Verdict | None" = None
    mlflow_run: str = ""

    def tracked(self, mlflow_run: str) -> "Answer":
        """The same with its run in MLflow."""
        return replace(self, mlflow_run=mlflow_run)

    @property
    def guarantee(self) -> str:
        """The privacy guarantee in words."""
        if self.spend is None:
            return EXACT.format(least=self.job.minimum_count)
        spent = {"epsilon": self.spend["epsilon"], "delta": self.spend["delta"]}
        if self.job.colluding == 0:
            known = "It protects against everyone but the parties, who know their own parts of the noise."
            return PRIVATE.format(**spent, colluding=0, parties=len(self.job.participants)).partition(" Each party")[0] + " " + known  # fmt: skip
        return PRIVATE.format(**spent, colluding=self.job.colluding, parties=len(self.job.participants))


def write_answer(folder: Path, order: "Order", answer: Answer, cohort: Cohort) -> tuple[Path, str]:
    """Write the package into ``folder``; returns its path and the report's HTML."""
    from federation.party import messages
    from hub.repository.package import pack

    picture, report = _picture(answer), ""
    report = _report(order, answer, cohort, picture)
    files = _content(answer) | {
        "result.signed.json": messages.encoded(answer.result.value), "report.html": report.encode(),
        "manifest.json": json.dumps(manifest(order, answer), indent=1).encode(),
        "LICENCE": LICENCE.format(citation=cohort.source.citation, licence=cohort.source.licence).encode(),
    }  # fmt: skip
    if picture is not None:
        files["picture.png"] = picture
    listed = "".join(f"| {name} | {WORDS[name]} |\n" for name in sorted(files))
    readme = README.format(
        title=cohort.table.title, kind=answer.job.kind, parties=len(answer.job.participants), files=listed,
        lead=_lead(answer), guarantee=answer.guarantee, job=answer.job.sha256, result=answer.result.sha256,
    )  # fmt: skip
    return pack(files | {"README.md": readme.encode()}, folder / "package.zip"), report


def manifest(order: "Order", answer: Answer) -> dict[str, Any]:
    """How the answer came about, bound to the parties' signatures."""
    job, result = answer.job, answer.result
    return {
        "format": "phaseiv-computation/1", "order": order.id, "question": order.question,
        "question_sha256": order.question_sha256, "job": job.model_dump(mode="json"), "job_sha256": job.sha256,
        "end": result.end.state, "lost": list(result.lost), "parties": by_party(result), "result_sha256": result.sha256,
        "signatures": {name: one.to_json() for name, one in result.signatures.items()},
        "privacy": answer.spend, "minimum_count": job.minimum_count, "mlflow_run": answer.mlflow_run,
        "candidate_sha256": answer.table.sha256 if answer.table else None,
        "verdict": answer.verdict.to_json() if answer.verdict else None,
    }  # fmt: skip


def figures_of(order: "Order", answer: Answer) -> dict[str, Any]:
    """What the artefact's page shows beside the report."""
    return {
        "rows": answer.table.frame.height if answer.table else 0, "epsilon": order.epsilon,
        "parties": list(answer.job.participants), "lost": list(answer.result.lost), "kind": answer.job.kind,
        "job_sha256": answer.job.sha256, "question_sha256": order.question_sha256,
        "candidate_sha256": answer.table.sha256 if answer.table else None, "figures": {},
    }  # fmt: skip


def _content(answer: Answer) -> dict[str, bytes]:
    if answer.table is None:
        return {"answer.json": as_bytes(answer.result.value)}
    text = io.BytesIO()
    answer.table.frame.write_csv(text)
    return {"synthetic.parquet": parquet_bytes(answer.table.frame), "synthetic.csv": text.getvalue()}


def _lead(answer: Answer) -> str:
    if answer.table is None:
        return f"An aggregate over the patients of {', '.join(answer.job.participants)}."
    rows = answer.table.frame.height
    return f"{rows} synthetic rows. Nobody stands behind any of them: a model saw the patients through noise only."


def _report(order: "Order", answer: Answer, cohort: Cohort, picture: bytes | None) -> str:
    from metrics.reporting.answer import AnswerContext, answer_page

    shown = {} if answer.table else json.loads(as_bytes(answer.result.value))
    findings = [finding.words for finding in answer.verdict.findings] if answer.verdict else []
    return answer_page(
        AnswerContext(
            title=f"{cohort.table.title}: {answer.job.kind.replace('_', ' ')}", lead=_lead(answer), result=shown,
            parties=by_party(answer.result), guarantee=answer.guarantee, findings=findings, picture=picture,
            provenance={
                "question, sha256": order.question_sha256 or "", "job, sha256": answer.job.sha256,
                "result, sha256": answer.result.sha256, "source": cohort.source.citation,
            },
        )
    )  # fmt: skip


def _picture(answer: Answer) -> bytes | None:
    """The answer as a figure, where there is one for its kind."""
    from metrics.plots import federated

    def coefficients(value: Any) -> bytes:
        return federated.coefficients_plot(value, title=answer.job.kind)

    drawn: dict[str, Callable[[Any], bytes]] = {
        "kaplan_meier": federated.survival_plot, "training": federated.training_plot, "logistic": coefficients,
        "cox": coefficients,
    }  # fmt: skip
    draw = drawn.get(answer.job.kind)
    return draw(answer.result.value) if draw else None
